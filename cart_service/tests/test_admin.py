"""The Django admin shows carts and deletes them, which is logged; it changes none."""

from typing import Any

import pytest
import responses
from django.contrib import admin
from django.test import Client
from structlog.testing import CapturingLogger

from cart_service.admin import CartAdmin
from cart_service.models import Cart
from shopkit import admin as shop_admin
from shopkit import topology

pytestmark = pytest.mark.django_db
ADMIN = "/admin/cart_service/cart/"


def test_the_admin_lists_and_shows_but_adds_nothing(cart: str, admin_client: Client) -> None:
    kept = Cart.objects.get()
    for path in (ADMIN, f"{ADMIN}?q={kept.pk}", f"{ADMIN}{kept.pk}/change/"):
        response = admin_client.get(path, HTTP_HOST="localhost")
        assert response.status_code == 200
        assert str(kept.pk) in response.content.decode()
    assert admin_client.get(f"{ADMIN}add/", HTTP_HOST="localhost").status_code == 403
    assert admin_client.post(f"{ADMIN}{kept.pk}/change/", {}, HTTP_HOST="localhost").status_code == 403


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> CapturingLogger:
    logger = CapturingLogger()
    monkeypatch.setattr(shop_admin, "log", logger)
    return logger


@pytest.fixture
def grace(peers: responses.RequestsMock) -> Client:
    """A member of staff who has signed in with their account."""
    check = f"{topology.account_keeper().url}/internal/staff/check/"
    peers.post(check, json={"id": "staff-1", "email": "grace@example.com"})
    browser = Client(HTTP_HOST="localhost")
    signed_in = browser.post("/admin/login/", {"username": "grace@example.com", "password": "sesame"})
    assert signed_in.status_code == 302
    return browser


def carts(number: int) -> list[str]:
    return [str(Cart.objects.create().pk) for _ in range(number)]


def test_what_is_deleted_one_by_one_or_all_at_once_is_logged(grace: Client, logged: CapturingLogger) -> None:
    first, second, third = carts(3)
    assert grace.post(f"{ADMIN}{first}/delete/", {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [second, third]}
    assert grace.post(ADMIN, chosen).status_code == 200  # only asks whether it is meant
    assert len(logged.calls) == 1
    assert grace.post(ADMIN, {**chosen, "post": "yes"}).status_code == 302
    assert not Cart.objects.exists()
    told = [(call.kwargs["staff"], call.kwargs["action"], set(call.kwargs["ids"])) for call in logged.calls]
    assert told == [("staff-1", "deletion", {first}), ("staff-1", "deletion", {second, third})]


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the admin of carts may come to have."""

    def forget(_admin: CartAdmin, _request: Any, queryset: Any) -> None:
        queryset.update(owner_id=None)

    monkeypatch.setattr(CartAdmin, "actions", [admin.action(forget)])


def test_another_action_for_several_rows_is_logged_too(grace: Client, action: None, logged: CapturingLogger) -> None:
    chosen, other = Cart.objects.create(owner_id="a"), Cart.objects.create(owner_id="b")
    assert grace.post(ADMIN, {"action": "forget", "_selected_action": [chosen.pk]}).status_code == 302
    assert Cart.objects.get(pk=chosen.pk).owner_id is None
    assert Cart.objects.get(pk=other.pk).owner_id == "b"
    [call] = logged.calls
    assert call.args == ("staff_action",)
    assert (call.kwargs["action"], call.kwargs["ids"], call.kwargs["count"]) == ("forget", [str(chosen.pk)], 1)
