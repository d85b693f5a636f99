"""Routes of registered_customer."""

from django.urls import path

from registered_customer import auth_views, internal_views
from registered_customer.models import Customer
from registered_customer.moves import MOVES
from registered_customer.views import RegisteredAddressViewSet, RegisteredViewSet
from shopkit.customers.internal import internal_urls
from shopkit.customers.urls import auth_urls, customer_urls

urlpatterns = [
    path("api/auth/register/", auth_views.RegisterView.as_view()),
    path("api/auth/verify-email/resend/", auth_views.ResendView.as_view()),
    path("api/auth/login/", auth_views.LoginView.as_view()),
    path("api/auth/password/change/", auth_views.PasswordChangeView.as_view()),
    path("api/auth/password/reset/", auth_views.PasswordResetView.as_view()),
    path("api/auth/password/reset/confirm/", auth_views.PasswordResetConfirmView.as_view()),
    *auth_urls(auth_views.AccountRefreshView),
    path("internal/registrations/find/", internal_views.FindRegistrationView.as_view()),
    path("internal/registrations/complete/", internal_views.CompleteRegistrationView.as_view()),
    path("internal/accounts/<str:account_id>/", internal_views.AccountView.as_view()),
    path("internal/accounts/<str:account_id>/session/", internal_views.AccountSessionView.as_view()),
    path("internal/staff/check/", internal_views.StaffCheckView.as_view()),
    *customer_urls("registered-customer", RegisteredViewSet, RegisteredAddressViewSet),
    *internal_urls("registered-customer", Customer.objects.all(), MOVES),
]
