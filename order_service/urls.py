"""Routes of order_service."""

from django.urls import path

from order_service.views import CancelView, OrderListView, OrderView, TimelineView

urlpatterns = [
    path("api/orders/", OrderListView.as_view()),
    path("api/orders/<uuid:order_id>/", OrderView.as_view()),
    path("api/orders/<uuid:order_id>/cancel/", CancelView.as_view()),
    path("api/orders/<uuid:order_id>/timeline/", TimelineView.as_view()),
]
