"""The HTTP side of guests and their sessions."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from guest_customer import services
from guest_customer.models import Customer
from guest_customer.serializers import GuestSerializer
from shopkit.customers.auth_views import AuthView, RefreshView, SessionSerializer
from shopkit.customers.views import CustomerViewSet
from shopkit.shapes import shown


class GuestViewSet(CustomerViewSet):
    queryset = Customer.objects.all()
    serializer_class = GuestSerializer


class BeginView(AuthView):
    @extend_schema(request=None, responses={201: SessionSerializer})
    def post(self, request: Request) -> Response:
        """Begins as a guest: an id, and tokens to go on with."""
        guest, tokens = services.begin()
        return Response({**tokens, "customer": shown(GuestSerializer, guest)}, status=status.HTTP_201_CREATED)


class GuestRefreshView(RefreshView):
    def standing(self, subject: str) -> tuple[str, str]:
        services.come_back(guest_id=subject)
        return "guest", "customer"
