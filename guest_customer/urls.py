"""Routes of guest_customer."""

from django.urls import path

from guest_customer.models import Customer
from guest_customer.moves import MOVES
from guest_customer.services import hand_over
from guest_customer.views import BeginView, GuestRefreshView, GuestViewSet
from shopkit.customers.internal import internal_urls
from shopkit.customers.urls import auth_urls, customer_urls
from shopkit.sign_ins import SignInView

urlpatterns = [
    path("api/auth/guest/", BeginView.as_view()),
    *auth_urls(GuestRefreshView),
    *customer_urls("guest-customer", GuestViewSet),
    *internal_urls("guest-customer", Customer.objects.all(), MOVES),
    path("internal/sign-ins/", SignInView.as_view(take=staticmethod(hand_over))),
]
