"""Routes of shipping_service."""

from django.urls import path

from shipping_service.services import take_over
from shipping_service.views import (
    OrderShipmentView,
    RatesView,
    ShipmentListView,
    ShipmentView,
    ShipView,
    TrackingView,
    WebhookView,
)
from shopkit.sign_ins import SignInView

urlpatterns = [
    path("api/shipments/", ShipmentListView.as_view()),
    path("api/shipments/<uuid:shipment_id>/", ShipmentView.as_view()),
    path("api/shipments/rates/", RatesView.as_view()),
    path("api/shipments/webhooks/simulated/", WebhookView.as_view()),
    path("internal/shipments/", ShipView.as_view()),
    path("internal/shipments/<uuid:order_id>/", OrderShipmentView.as_view()),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(take_over))),
    path("api/shipments/track/<str:tracking_number>/", TrackingView.as_view()),
]
