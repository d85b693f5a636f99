"""Routes that customer_router answers itself; every other customer path is proxied (see `routing.py`)."""

from django.urls import path

from shopkit.customers.auth_views import KeysView

urlpatterns = [
    path("api/auth/.well-known/jwks.json", KeysView.as_view()),
]
