"""The Django admin of every service: its own models, and staff who sign in with their one account."""

from typing import Any

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.sites import AdminSite
from django.http import HttpRequest, HttpResponse


class StaffSite(AdminSite):
    """The `admin.site`. Local users and groups are not in it: they are shadows of accounts, and give no rights."""

    site_header = "Polyshop"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = model_or_iterable if isinstance(model_or_iterable, (list, tuple, set)) else [model_or_iterable]
        super().register([model for model in models if model._meta.app_label != "auth"], admin_class, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from shopkit.admin_login import LoginForm  # models, which are not there yet when this module is read

        self.login_form = LoginForm
        return super().login(request, extra_context)


class StaffAdminConfig(AdminConfig):
    """In `INSTALLED_APPS` for `django.contrib.admin`."""

    default_site = "shopkit.admin_site.StaffSite"
