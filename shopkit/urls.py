"""The route table of every service: its own routes, and those all of them have."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path, re_path

from shopkit import error_handler, health
from shopkit.metrics import metrics_view
from shopkit.schema_view import SchemaView

handler400 = error_handler.bad_request
handler404 = error_handler.not_found
handler500 = error_handler.server_error


def _admin() -> list[URLPattern | URLResolver]:
    if not settings.SERVICE.relational:
        return []
    from django.contrib import admin  # only where its tables are

    return [path("admin/", admin.site.urls)]


urlpatterns = [
    path("", include(f"{settings.SERVICE.name}.urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics_view),
    path("api/schema/", SchemaView.as_view()),
    *_admin(),
    re_path("", error_handler.not_found),
]
