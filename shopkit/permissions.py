"""Who may do what, in the ways the services need."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from shopkit import topology
from shopkit.auth import caller
from shopkit.topology import Service

if TYPE_CHECKING:  # rest_framework.views imports the default permission, which is here
    from rest_framework.views import APIView


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
