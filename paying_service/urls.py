"""Routes of paying_service."""

from django.urls import path

from paying_service import internal_views as internal
from paying_service.views import (
    OrderPaymentView,
    PaymentListView,
    PaymentView,
    RefundView,
    SimulateView,
    WebhookView,
)

urlpatterns = [
    path("api/payments/", PaymentListView.as_view()),
    path("api/payments/<uuid:payment_id>/", PaymentView.as_view()),
    path("api/payments/status/<uuid:order_id>/", OrderPaymentView.as_view()),
    path("api/payments/<uuid:payment_id>/refund/", RefundView.as_view()),
    path("api/payments/<uuid:payment_id>/simulate/", SimulateView.as_view()),
    path("api/payments/webhooks/simulated/", WebhookView.as_view()),
    path("internal/payments/", internal.OpenView.as_view()),
    path("internal/dues/", internal.DueView.as_view()),
    path("internal/payments/<uuid:payment_id>/", internal.OneView.as_view()),
    path("internal/payments/<uuid:payment_id>/authorise/", internal.AuthoriseView.as_view()),
    path("internal/payments/<uuid:payment_id>/capture/", internal.CaptureView.as_view()),
    path("internal/payments/<uuid:payment_id>/void/", internal.VoidView.as_view()),
    path("internal/payments/<uuid:payment_id>/refunds/", internal.RefundsView.as_view()),
]
