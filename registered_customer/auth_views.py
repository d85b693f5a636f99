"""The HTTP side of accounts, for everybody."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registered_customer import accounts, registrations, resets
from registered_customer.auth_serializers import (
    AccountSerializer,
    ChangeSerializer,
    ConfirmSerializer,
    EmailSerializer,
    LoginSerializer,
    MessageSerializer,
    PairSerializer,
    RegisterSerializer,
    RegistrationSerializer,
    SessionSerializer,
)
from registered_customer.models import Account
from registered_customer.serializers import RegisteredSerializer
from shopkit.auth import caller, guest_of
from shopkit.client_address import client_address
from shopkit.customers.auth_views import AuthView, RefreshView
from shopkit.permissions import IsKnown
from shopkit.shapes import given, shown


class RegisterView(AuthView):
    @extend_schema(request=RegisterSerializer, responses={201: RegistrationSerializer})
    def post(self, request: Request) -> Response:
        """Asks for an account. It is there once the email is verified; a mail says how, or that there is one already.

        With a guest's token, that guest's cart, history and orders go along.
        """
        asked = given(RegisterSerializer, request)
        registrations.register(**asked, guest_id=guest_of(request), address=client_address(request._request))
        message = "We have sent a mail to this address; it says how to go on."
        return Response({"email": asked["email"], "message": message}, status=status.HTTP_201_CREATED)


class ResendView(AuthView):
    @extend_schema(request=EmailSerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        """Asks for the mail of the latest registration again."""
        registrations.resend(**given(EmailSerializer, request), address=client_address(request._request))
        message = "If this address waits to be verified, we have sent the mail again."
        return Response({"message": message}, status=status.HTTP_202_ACCEPTED)


class LoginView(AuthView):
    @extend_schema(request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        """A session, for email and password."""
        asked = given(LoginSerializer, request)
        account, pair = accounts.log_in(**asked, address=client_address(request._request))
        return Response({**pair, "customer": _profile(account)})


def _profile(account: Account) -> dict[str, Any]:
    customer = accounts.profile(account=account)
    return shown(RegisteredSerializer, customer) if customer else shown(AccountSerializer, account)


class AccountRefreshView(RefreshView):
    def standing(self, subject: str) -> tuple[str, str]:
        return accounts.standing(account_id=subject)


class PasswordChangeView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=ChangeSerializer, responses=PairSerializer)
    def post(self, request: Request) -> Response:
        """Sets a new password, for who knows the old one. All sessions end; the answer holds a new one."""
        asked = given(ChangeSerializer, request)
        pair = accounts.change_password(
            account_id=caller(request).customer_id or "",
            old=asked["old_password"],
            new=asked["new_password"],
            address=client_address(request._request),
        )
        return Response(pair)


class PasswordResetView(AuthView):
    @extend_schema(request=EmailSerializer, responses={202: MessageSerializer})
    def post(self, request: Request) -> Response:
        """Asks for a mail with which a new password can be chosen."""
        resets.ask(**given(EmailSerializer, request), address=client_address(request._request))
        message = "If there is an account with this address, we have sent it a mail."
        return Response({"message": message}, status=status.HTTP_202_ACCEPTED)


class PasswordResetConfirmView(AuthView):
    @extend_schema(request=ConfirmSerializer, responses=MessageSerializer)
    def post(self, request: Request) -> Response:
        """Sets a new password, for who has the mailed token. All sessions end."""
        asked = given(ConfirmSerializer, request)
        resets.confirm(token=asked["token"], password=asked["new_password"])
        return Response({"message": "The password is changed; log in with it."})
