"""What all who keep something of a guest's are told when they sign in: it is the customer's now."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shopkit import topology
from shopkit.permissions import TellsUs
from shopkit.shapes import given


class SignInSerializer(serializers.Serializer[Any]):
    guest_id = serializers.CharField(max_length=64)
    customer_id = serializers.CharField(max_length=64)
    customer_type = serializers.ChoiceField(choices=sorted(topology.by_customer_type()))


class SignInView(APIView):
    """`take` is the service's use-case; it may come twice."""

    permission_classes = [TellsUs]
    take: Callable[..., object] | None = None

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        wish = given(SignInSerializer, request)
        assert self.take is not None
        self.take(**wish)
        return Response(status=status.HTTP_204_NO_CONTENT)
