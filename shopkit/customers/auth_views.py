"""What both services that issue tokens answer under `/api/auth/`: refresh, logout, and the public keys."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit import keys
from shopkit.customers import sessions
from shopkit.shapes import given

KEYS_SECONDS = 300  # how long others may keep the public keys


class RefreshTokenSerializer(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=300)


class TokensSerializer(RefreshTokenSerializer):
    access = serializers.CharField()


class SessionSerializer(TokensSerializer):
    """`customer` is a profile, as the service of their type shows it."""

    customer = serializers.DictField()


class AuthView(APIView):
    """Asks nobody who they are: a token that has expired must not keep its owner from getting another."""

    permission_classes = [AllowAny]
    authentication_classes = []


class RefreshView(AuthView):
    """The next pair of tokens. `standing` of a subject is their (customer type, role) now."""

    @extend_schema(request=RefreshTokenSerializer, responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        refresh = _refresh_token(request)
        customer_type, role = self.standing(sessions.subject_of(refresh))
        return Response(sessions.renew(refresh, customer_type=customer_type, role=role))

    def standing(self, subject: str) -> tuple[str, str]:
        """`Unauthenticated` for one who is not here, or no more."""
        raise NotImplementedError


class LogoutView(AuthView):
    @extend_schema(request=RefreshTokenSerializer, responses={204: None})
    def post(self, request: Request) -> Response:
        """Ends the session; access tokens of it count until they expire."""
        sessions.close(_refresh_token(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class KeysView(AuthView):
    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """The public keys with which access tokens can be checked, as a JWK set."""
        return Response(keys.jwks(), headers={"Cache-Control": f"public, max-age={KEYS_SECONDS}"})


def _refresh_token(request: Request) -> str:
    return str(given(RefreshTokenSerializer, request)["refresh"])
