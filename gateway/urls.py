"""Routes that the gateway answers itself; the rest is proxied (see `routing.py`)."""

from django.urls import path
from drf_spectacular.views import SpectacularSwaggerView

from gateway import views

urlpatterns = [
    path("", views.index),
    path("docs/", SpectacularSwaggerView.as_view(url="/api/schema/")),
    path("api/schema/", views.schema),
    path("health/ready", views.fleet_ready),
]
