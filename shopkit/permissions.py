"""Who may do what, in the ways the services need."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from shopkit.auth import caller

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


class IsService(BasePermission):
    """One of our own services, for itself: what internal paths (`/internal/…`) ask for, in every access mode."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return caller(request).is_service
