"""What lists of orders can be narrowed by."""

from django_filters import DateFilter
from django_filters.rest_framework import FilterSet

from order_service.custom_models import CustomOrder
from order_service.models import DailyReport, Order
from shopkit.filters import CreatedFilter


class OrderFilter(CreatedFilter):
    class Meta:
        model = Order
        fields = ["status", "customer_id"]


class CustomOrderFilter(CreatedFilter):
    class Meta:
        model = CustomOrder
        fields = ["status", "customer_id"]


class DailyReportFilter(FilterSet):  # type: ignore[misc]
    """`day`, or a range: `from` and `to`, both included."""

    day = DateFilter()

    class Meta:
        model = DailyReport
        fields = ["day", "currency"]


DailyReportFilter.base_filters |= {  # `from` can't be a name in Python
    "from": DateFilter(field_name="day", lookup_expr="gte"),
    "to": DateFilter(field_name="day", lookup_expr="lte"),
}
