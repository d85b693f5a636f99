"""Routes of shipping_service."""

from django.urls import path

from shipping_service.views import ShipmentListView, ShipmentView, ShipView, TrackingView

urlpatterns = [
    path("api/shipments/", ShipmentListView.as_view()),
    path("api/shipments/<uuid:shipment_id>/", ShipmentView.as_view()),
    path("internal/shipments/", ShipView.as_view()),
    path("api/shipments/track/<str:tracking_number>/", TrackingView.as_view()),
]
