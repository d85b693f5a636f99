"""Routes of paying_service."""

from django.urls import path

from paying_service.views import OrderPaymentView, PaymentListView, PaymentView

urlpatterns = [
    path("api/payments/", PaymentListView.as_view()),
    path("api/payments/<uuid:payment_id>/", PaymentView.as_view()),
    path("api/payments/status/<uuid:order_id>/", OrderPaymentView.as_view()),
]
