"""Routes of order_service."""

from django.urls import path

from order_service.services import take_over
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
    path("internal/payment-events/", PaymentNewsView.as_view()),
    path("internal/shipment-events/", ShipmentNewsView.as_view()),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(take_over))),
]
