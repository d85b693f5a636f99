"""Routes of paying_service."""

from django.urls import path

from paying_service import internal_views as internal
from paying_service.models import Provider
from paying_service.pages import PayView, TryView
from paying_service.services import take_over
from paying_service.views import (
    CheckoutSessionView,
    OrderPaymentView,
    PaymentIntentView,
    PaymentListView,
    PaymentView,
    RefundView,
    SimulateView,
    VerifyView,
    WebhookView,
)
from shopkit.sign_ins import SignInView

urlpatterns = [
    path("api/payments/", PaymentListView.as_view()),
    path("api/payments/<uuid:payment_id>/", PaymentView.as_view()),
    path("api/payments/status/<uuid:order_id>/", OrderPaymentView.as_view()),
    path("api/payments/<uuid:payment_id>/refund/", RefundView.as_view()),
    path("api/payments/<uuid:payment_id>/simulate/", SimulateView.as_view()),
    path("api/payments/<uuid:payment_id>/pay/", PayView.as_view()),
    path("api/payments/create-checkout-session/", CheckoutSessionView.as_view()),
    path("api/payments/create-payment-intent/", PaymentIntentView.as_view()),
    path("api/payments/verify-payment/", VerifyView.as_view()),
    path("api/payments/test/", TryView.as_view()),
    *(
        path(f"api/payments/webhooks/{provider}/", WebhookView.as_view(provider=provider))
        for provider in Provider.values
    ),
    path("internal/payments/", internal.OpenView.as_view()),
    path("internal/dues/", internal.DueView.as_view()),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(take_over))),
    path("internal/payments/<uuid:payment_id>/", internal.OneView.as_view()),
    path("internal/payments/<uuid:payment_id>/authorise/", internal.AuthoriseView.as_view()),
    path("internal/payments/<uuid:payment_id>/capture/", internal.CaptureView.as_view()),
    path("internal/payments/<uuid:payment_id>/void/", internal.VoidView.as_view()),
    path("internal/payments/<uuid:payment_id>/refunds/", internal.RefundsView.as_view()),
]
