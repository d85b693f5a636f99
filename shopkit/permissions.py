"""Who may do what, in the ways the services need."""

from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from shopkit import topology
from shopkit.auth import OF_GUESTS, Identity, caller
from shopkit.errors import Unauthenticated
from shopkit.topology import Service

if TYPE_CHECKING:  # rest_framework.views imports the default permission, which is here
    from rest_framework.views import APIView


M = TypeVar("M", bound=Model)


def visible(rows: "QuerySet[M]", identity: Identity, owner: str = "customer") -> "QuerySet[M]":
    """What the caller may see of rows with an `{owner}_id` and an `{owner}_type`: as `Identity.may_see` says of one."""
    if identity.is_staff:
        return rows
    theirs = rows.filter(**{f"{owner}_id": identity.customer_id})
    return theirs.filter(**{f"{owner}_type__in": OF_GUESTS}) if identity.has_guest_token else theirs


def opens(identity: Identity, customer_type: str | None) -> bool:
    """Whether a customer of that type can be the caller: a guest's token opens no account, not even their own later."""
    return customer_type == "guest" or not identity.has_guest_token


def check_opens(identity: Identity, customer_type: str | None) -> None:
    """`Unauthenticated("login_required")` for a guest's token where there is an account."""
    if not opens(identity, customer_type):
        raise Unauthenticated("There is an account now: log in to it.", code="login_required")


class IsStaff(BasePermission):
    """Staff only: the default, so that a view that says nothing opens nothing."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return caller(request).is_staff


class ReadOrStaff(BasePermission):
    """Anyone reads; staff write."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or caller(request).is_staff


class IsKnown(BasePermission):
    """A customer or staff; what they see of it is for the view's `get_queryset` to say."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return caller(request).is_authenticated


class HasAccount(BasePermission):
    """A customer who is no guest, or staff."""

    message, code = "Guests can't do this; register or log in first.", "account_needed"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        user = caller(request)
        return user.is_staff or (user.customer_id is not None and user.customer_type != "guest")


class IsService(BasePermission):
    """One of our own services, for itself: what internal paths (`/internal/…`) ask for, in every access mode.

    Every service with an admin may call the one that keeps the accounts, so what gives power there asks for more.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return caller(request).is_service


class IsRouter(IsService):
    """The router in front of this service, for itself: a key stolen from another service is of no use."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        service: Service = settings.SERVICE
        return super().has_permission(request, view) and _signer(request).name == service.behind


class TellsUs(IsService):
    """A service that tells this one what has happened, as the topology has it."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        service: Service = settings.SERVICE
        return super().has_permission(request, view) and service.name in _signer(request).tells


def _signer(request: Request) -> Service:
    return topology.service(caller(request).service or "")
