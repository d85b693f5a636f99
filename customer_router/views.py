"""The HTTP side of moves between types, and of guests who prove to be somebody."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customer_router import services
from customer_router.serializers import (
    LoginSerializer,
    OrderTakenSerializer,
    PlaceSerializer,
    UpgradeSerializer,
    VerifySerializer,
)
from shopkit import topology
from shopkit.auth import caller, guest_of
from shopkit.client_address import client_address
from shopkit.customers.auth_views import AuthView, SessionSerializer
from shopkit.errors import found
from shopkit.permissions import IsKnown, IsService
from shopkit.shapes import given


class UpgradeView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=UpgradeSerializer, responses={200: PlaceSerializer, 201: dict})
    def post(self, request: Request, customer_id: str) -> Response:
        """A registered customer becomes a VIP, by staff or by what they have spent; or a guest registers.

        Who is one already is told where they are.
        """
        wish, identity = given(UpgradeSerializer, request), caller(request)
        customer_id = _id(request, customer_id)
        if wish.pop("to") == "vip":
            return _answer(customer_id, services.become_vip(identity=identity, customer_id=customer_id))
        client = client_address(request)
        registered = services.register(identity=identity, customer_id=customer_id, body=wish, client=client)
        return Response(registered, status=status.HTTP_201_CREATED)


class DowngradeView(APIView):
    permission_classes = [IsKnown]

    @extend_schema(request=None, responses=PlaceSerializer)
    def post(self, request: Request, customer_id: str) -> Response:
        """A VIP becomes a registered customer; points and tier wait for them."""
        customer_id = _id(request, customer_id)
        return _answer(customer_id, services.step_down(identity=caller(request), customer_id=customer_id))


class LoginView(AuthView):
    @extend_schema(request=LoginSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        """Logs in. With a guest's token, what the guest put into carts and ordered goes along."""
        client = client_address(request)
        return Response(services.log_in(guest_id=guest_of(request), body=request.data, client=client))


class VerifyEmailView(AuthView):
    @extend_schema(request=VerifySerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        """Ends a registration with the token from the mail, and logs in."""
        return Response(services.verify_email(**given(VerifySerializer, request)))


class OrderView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def post(self, request: Request, customer_id: str) -> Response:
        told = services.take_order(customer_id=customer_id, **given(OrderTakenSerializer, request))
        email = {"email": told["email"]} if told and "email" in told else {}
        return Response({"taken": told is not None, **email})


class PerksView(APIView):
    permission_classes = [IsService]

    @extend_schema(exclude=True)
    def get(self, request: Request, customer_id: str) -> Response:
        """What a VIP's carts and orders get by themselves; 404 for who is no VIP."""
        return Response(found(services.perks(customer_id=customer_id)))


def _id(request: Request, customer_id: str) -> str:
    return (caller(request).customer_id or "") if customer_id == "me" else customer_id


def _answer(customer_id: str, customer_type: str) -> Response:
    path = topology.by_customer_type()[customer_type].paths[0]
    place = {"id": customer_id, "customer_type": customer_type, "location": f"/api/{path}/{customer_id}/"}
    return Response(place)
