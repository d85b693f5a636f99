"""What the Django admin needs around a request; any other goes on without it, for no API reads a cookie."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

PATH = "/admin/"


class _ForAdmin(MiddlewareMixin):
    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_admins = request.path.startswith(PATH)
        return super().__call__(request) if is_admins else self.get_response(request)  # type: ignore[return-value]


class Sessions(_ForAdmin, SessionMiddleware): ...


class Csrf(_ForAdmin, CsrfViewMiddleware): ...


class Users(_ForAdmin, AuthenticationMiddleware): ...


class Messages(_ForAdmin, MessageMiddleware): ...
