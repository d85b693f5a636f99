"""Routes of cart_service."""

from django.urls import path

from cart_service.views import CartItemsView, CartItemView, CartListView, CartView

urlpatterns = [
    path("api/carts/", CartListView.as_view()),
    path("api/carts/<uuid:cart_id>/", CartView.as_view()),
    path("api/carts/<uuid:cart_id>/items/", CartItemsView.as_view()),
    path("api/carts/<uuid:cart_id>/items/<uuid:line_id>/", CartItemView.as_view()),
]
