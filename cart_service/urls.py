"""Routes of cart_service."""

from django.urls import path

from cart_service.merging import take_over
from cart_service.views import (
    CartItemsView,
    CartItemView,
    CartListView,
    CartMergeView,
    CartOrderedView,
    CartPageView,
    CartView,
)
from shopkit.sign_ins import SignInView

urlpatterns = [
    path("api/carts/", CartListView.as_view()),
    path("api/carts/<uuid:cart_id>/", CartView.as_view()),
    path("api/carts/<uuid:cart_id>/items/", CartItemsView.as_view()),
    path("api/carts/<uuid:cart_id>/items/<uuid:line_id>/", CartItemView.as_view()),
    path("api/carts/<uuid:cart_id>/merge/", CartMergeView.as_view()),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(take_over))),
    path("internal/carts/", CartPageView.as_view()),
    path("internal/carts/<uuid:cart_id>/ordered/", CartOrderedView.as_view()),
]
