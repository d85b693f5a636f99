"""The HTTP side of accounts for our own services: completing registrations, moves, and staff who use an admin."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registered_customer import accounts, registrations
from registered_customer.auth_serializers import (
    CheckSerializer,
    CompleteSerializer,
    FoundSerializer,
    TokenSerializer,
)
from shopkit import topology
from shopkit.auth import caller
from shopkit.client_address import client_address
from shopkit.permissions import IsRouter, IsService
from shopkit.shapes import given, shown


class IsOfCustomers(IsService):
    """One of the customers' services, or their router."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        own, signer = topology.service("registered_customer"), topology.service(caller(request).service or "")
        return own.behind in (signer.name, signer.behind)


class InternalView(APIView):
    permission_classes: list[type[IsService]] = [IsRouter]
    schema = None


class FindRegistrationView(InternalView):
    def post(self, request: Request) -> Response:
        return Response(shown(FoundSerializer, registrations.find(**given(TokenSerializer, request))))


class CompleteRegistrationView(InternalView):
    def post(self, request: Request) -> Response:
        return Response({"customer_id": registrations.complete(**given(CompleteSerializer, request))})


class AccountView(InternalView):
    """The end of an account whose profile another service has forgotten."""

    permission_classes = [IsOfCustomers]

    def delete(self, request: Request, account_id: str) -> Response:
        accounts.close(account_id=account_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class AccountSessionView(InternalView):
    def post(self, request: Request, account_id: str) -> Response:
        return Response(accounts.session_of(account_id=account_id))


class StaffCheckView(InternalView):
    """For every service that has an admin."""

    permission_classes = [IsService]

    def post(self, request: Request) -> Response:
        asked = {"address": client_address(request._request), **given(CheckSerializer, request)}
        account = accounts.authenticate_staff(**asked)
        return Response({"id": account.pk, "email": account.email})
