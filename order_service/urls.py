"""Routes of order_service."""

from django.urls import path

from order_service.custom_orders import take_over
from order_service.custom_views import (
    ApproveView,
    CustomOrderListView,
    CustomOrderView,
    CustomTimelineView,
    ImageView,
    QuoteView,
    RejectView,
)
from order_service.views import (
    CancelView,
    DailyReportView,
    OrderListView,
    OrderView,
    PaymentNewsView,
    ShipmentNewsView,
    TimelineView,
)
from shopkit.sign_ins import SignInView

urlpatterns = [
    path("api/orders/", OrderListView.as_view()),
    path("api/orders/reports/daily/", DailyReportView.as_view()),
    path("api/orders/<uuid:order_id>/", OrderView.as_view()),
    path("api/orders/<uuid:order_id>/cancel/", CancelView.as_view()),
    path("api/orders/<uuid:order_id>/timeline/", TimelineView.as_view()),
    path("api/custom-orders/", CustomOrderListView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/", CustomOrderView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/quote/", QuoteView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/approve/", ApproveView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/reject/", RejectView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/timeline/", CustomTimelineView.as_view()),
    path("api/custom-orders/<uuid:custom_id>/images/<uuid:image_id>/", ImageView.as_view()),
    path("internal/payment-events/", PaymentNewsView.as_view()),
    path("internal/shipment-events/", ShipmentNewsView.as_view()),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(take_over))),
]
