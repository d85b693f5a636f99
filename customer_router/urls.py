"""customer_router answers nothing itself: every customer path is proxied (see `routing.py`)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
