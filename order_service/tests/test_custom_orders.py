"""Custom orders from outside: who may do what and when, what it comes to, and what comes of doing it at once."""

import base64
import os
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from django.conf import settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from order_service import audit, clients, custom_orders, pictures, saga, services, tasks
from order_service.custom_models import CUSTOM_TRANSITIONS, CustomEvent, CustomImage, CustomOrder
from order_service.models import Order, OrderLine, Saga
from order_service.tests.conftest import ADDRESS, PRICES, RATES
from order_service.tests.test_saga import finish, later
from order_service.tests.world import World
from shopkit import topology
from shopkit.outbox import delivery
from shopkit.outbox.models import Message
from shopkit.pictures import Picture
from shopkit.testing import Caller, access_token, at_once, caller, staff_caller
from shopkit.tests.test_pictures import SCRIPT, noise, picture

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/custom-orders/"
ASKED = {"description": "A case with\nbeads", "name": "Ada", "email": "ada@example.com"}
NOBODY = "nobody"


class Shop(World):
    """The peers, with a provider's page for each payment that waits for its customer."""

    def _authorise(self, payment: dict[str, Any], body: dict[str, Any]) -> None:
        super()._authorise(payment, body)
        payment["action_url"] = f"/api/payments/{payment['id']}/pay/"


@pytest.fixture
def world(peers: responses.RequestsMock, tmp_path: Path, settings: Any) -> Shop:
    settings.MEDIA_ROOT = tmp_path
    settings.ALERT_EMAIL = "staff@example.com"
    made = Shop(card="requires_action")
    made.play(peers)
    peers.upsert("POST", RATES, json={"zone": "home", "weight_g": 1, "rates": PRICES})
    for peer in ("customer_router", "cart_service"):
        peers.post(re.compile(re.escape(topology.service(peer).url) + "/internal/.*"), json={"taken": True})
    return made


def nobody() -> Caller:
    """Somebody without any identity: open access believes only this machine, and this is another."""
    return Caller(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.7")


@pytest.fixture
def asks(world: Shop) -> Callable[..., dict[str, Any]]:
    def ask(by: Caller | None = None, **more: Any) -> dict[str, Any]:
        answer = (by or caller("ada")).post(PATH, {**ASKED, "shipping_address": ADDRESS, **more})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return ask


Asks = Callable[..., dict[str, Any]]


def do(custom: str, deed: str, by: Caller | None = None, **body: Any) -> Any:
    path, who = f"{PATH}{custom}/", by or staff_caller()
    if deed == "change":
        return who.patch(path, body or {"shipping_method": "express"})
    return who.post(f"{path}{deed}/", body or ({"price": "100.00"} if deed == "quote" else {}))


def shown(custom: str) -> Any:
    return staff_caller().get(f"{PATH}{custom}/").json()


def order_of(custom: str) -> Order:
    order = CustomOrder.objects.get(pk=custom).order
    assert order
    return order


def pay(world: Shop, custom: str) -> Order:
    """The customer pays on the provider's page, which tells of it."""
    order = order_of(custom)
    world.payments[str(order.payment_id)]["status"] = "authorised"
    order = finish(order)
    custom_orders.carry_on()
    return order


def pass_time(days: float = 15) -> None:
    """The quotes and the time to pay are over."""
    CustomOrder.objects.exclude(valid_until=None).update(valid_until=timezone.now() - timedelta(days=1))
    Saga.objects.update(pay_until=timezone.now())
    for _ in range(3):
        later()
        saga.run_due()
        custom_orders.carry_on()


def brought_to(status: str, world: Shop, asks: Asks) -> str:
    """The id of one that came to be there as they do."""
    custom = str(asks()["id"])
    if status in ("quoted", "approved", "paid", "expired", "cancelled"):
        assert do(custom, "quote").status_code == 200
    if status in ("approved", "paid", "cancelled"):
        assert do(custom, "approve").status_code == 200
    if status == "paid":
        pay(world, custom)
    if status == "cancelled":
        assert caller("ada").post(f"/api/orders/{order_of(custom).pk}/cancel/").status_code == 200
        custom_orders.carry_on()
    if status == "rejected":
        assert do(custom, "reject").status_code == 200
    if status == "expired":
        pass_time()
    assert shown(custom)["status"] == status
    return custom


# -- from the wish to the parcel


def test_a_wish_is_quoted_approved_paid_and_sent(world: Shop, asks: Asks) -> None:
    asked = asks()
    custom = asked["id"]
    assert (asked["status"], asked["price"], asked["payment_url"], asked["order"]) == ("pending", None, None, None)
    quoted = do(custom, "quote", price="100.00", note="In blue").json()
    assert (quoted["status"], quoted["price"], quoted["note"]) == ("quoted", "100.00", "In blue")
    approved = do(custom, "approve").json()
    order = order_of(custom)
    assert approved["status"] == "approved"
    assert approved["payment_url"] == f"http://localhost/api/payments/{order.payment_id}/pay/"
    assert (approved["order"]["total"], approved["order"]["status"]) == ("105.00", "reserved")
    assert pay(world, custom).status == "fulfilling"
    paid = shown(custom)
    assert (paid["status"], paid["payment_url"], paid["order"]["tracking_number"]) == ("paid", None, "PS0")
    assert world.charges == 1
    assert [step["name"] for step in caller("ada").get(f"{PATH}{custom}/timeline/").json()["results"]] == [
        "asked",
        "quoted",
        "approved",
        "linked",
        "paid",
    ]


def test_the_order_is_like_any_other_with_one_line_that_nobody_has_in_stock(world: Shop, asks: Asks) -> None:
    custom = brought_to("paid", world, asks)
    order = caller("ada").get(f"/api/orders/{order_of(custom).pk}/").json()
    [line] = order["items"]
    assert (line["item_type"], line["name"]) == (OrderLine.CUSTOM, "Custom order: A case with beads")
    assert (line["unit_price"], order["customer_id"], order["email"]) == ("100.00", "ada", "ada@example.com")
    assert [charge["kind"] for charge in order["charges"]] == ["shipping", "tax"]
    assert order["shipping_address"]["city"] == ADDRESS["city"]
    assert not [call for call in world.calls if "reservations" in call]


def test_tax_is_of_where_it_goes(world: Shop, asks: Asks) -> None:
    custom = asks(shipping_address={**ADDRESS, "country": "GB"})["id"]
    do(custom, "quote")
    assert do(custom, "approve").json()["order"]["tax"] == "21.00"


def test_a_payment_that_fails_may_be_asked_for_again(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    first = order_of(custom)
    world.payments[str(first.payment_id)]["status"] = "failed"
    assert finish(first).status == "payment_failed"
    custom_orders.carry_on()
    assert (shown(custom)["status"], shown(custom)["payment_url"]) == ("quoted", None)
    assert do(custom, "approve").status_code == 200
    assert order_of(custom).pk != first.pk
    pay(world, custom)
    assert (shown(custom)["status"], world.charges) == ("paid", 1)


def test_while_the_provider_cannot_be_asked_the_link_comes_later(world: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", world, asks)
    authorise = world._authorise
    world.card = "pending"
    world._authorise = lambda payment, body: None  # type: ignore[method-assign]
    assert do(custom, "approve").json()["payment_url"] is None
    world._authorise, world.card = authorise, "requires_action"  # type: ignore[method-assign]
    later()
    saga.run_due()
    custom_orders.carry_on()
    assert shown(custom)["payment_url"].endswith("/pay/")


def test_a_payment_that_waits_is_looked_at_rarely_since_nothing_is_held(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    due = Saga.objects.get(order=order_of(custom)).next_at - timezone.now()
    assert timedelta(minutes=4) < due <= timedelta(minutes=5)
    order = order_of(custom)
    assert order.payment_id
    services.take_payment_news(order_id=order.pk, payment_id=order.payment_id, status="authorised", refunded=0)
    assert Saga.objects.get(order=order).next_at <= timezone.now()


# -- each status and each deed

OK = ""
TABLE = {
    "pending": {"change": OK, "quote": OK, "approve": "not_quoted", "reject": OK},
    "quoted": {"change": OK, "quote": OK, "approve": OK, "reject": OK},
    "approved": {
        "change": "already_approved",
        "quote": "already_approved",
        "approve": "already_approved",
        "reject": OK,
    },
    **{
        status: dict.fromkeys(("change", "quote", "approve", "reject"), code)
        for status, code in {
            "paid": "already_paid",
            "rejected": "already_rejected",
            "expired": "quote_expired",
            "cancelled": "order_cancelled",
        }.items()
    },
}
BECOMES = {"quote": "quoted", "approve": "approved", "reject": "rejected"}


def test_the_table_has_every_status() -> None:
    assert set(TABLE) == set(CUSTOM_TRANSITIONS)


@pytest.mark.parametrize(("status", "deed"), [(status, deed) for status, deeds in TABLE.items() for deed in deeds])
def test_each_deed_is_done_where_it_may_be_and_changes_nothing_elsewhere(
    world: Shop, asks: Asks, status: str, deed: str
) -> None:
    custom, code = brought_to(status, world, asks), TABLE[status][deed]
    before, orders = shown(custom), Order.objects.count()
    answer = do(custom, deed)
    if code:
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert (shown(custom), Order.objects.count()) == (before, orders)
    else:
        assert answer.status_code == 200, answer.content
        assert answer.json()["status"] == BECOMES.get(deed, status)
    finish_all()
    assert list(audit.audit(books(world))) == []


def finish_all() -> None:
    for _ in range(6):
        later()
        saga.run_due()
        custom_orders.carry_on()


def books(world: Shop) -> audit.Books:
    """What the auditor would read of the peers."""
    found = audit.Books()
    for order in Order.objects.exclude(payment_id=None):
        found.payments[str(order.pk)].append(world.payments[str(order.payment_id)])
    found.shipments = {order_id: {"id": number} for order_id, number in world.shipments.items()}
    return found


def test_an_approved_one_that_is_rejected_takes_its_order_and_payment_back(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    do(custom, "reject", note="No more beads")
    order = finish(order_of(custom))
    assert (order.status, world.payments[str(order.payment_id)]["status"]) == ("cancelled", "voided")
    assert (shown(custom)["status"], shown(custom)["note"]) == ("rejected", "No more beads")


def test_what_is_being_paid_for_at_this_moment_is_not_rejected(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    Saga.objects.update(step=Saga.Step.CAPTURE, lease_until=timezone.now() + timedelta(minutes=1))
    answer = do(custom, "reject")
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")
    assert shown(custom)["status"] == "approved"


def test_without_an_address_it_is_not_approved(world: Shop, asks: Asks) -> None:
    custom = asks(shipping_address=None)["id"]
    do(custom, "quote")
    answer = do(custom, "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_address")
    assert do(custom, "change", caller("ada"), shipping_address=ADDRESS).status_code == 200
    assert do(custom, "approve").status_code == 200


# -- time


def test_a_quote_that_nobody_takes_up_expires_even_before_the_sweep(world: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", world, asks)
    CustomOrder.objects.update(valid_until=timezone.now())
    answer = do(custom, "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "quote_expired")
    custom_orders.carry_on()
    assert shown(custom)["status"] == "expired"


def test_one_that_is_not_paid_expires_with_its_order_and_its_payment_is_void(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    pass_time()
    order = order_of(custom)
    assert (shown(custom)["status"], order.status) == ("expired", "expired")
    assert world.payments[str(order.payment_id)]["status"] == "voided"


def test_a_quote_holds_as_long_as_the_setting_says(world: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", world, asks)
    left = CustomOrder.objects.get(pk=custom).valid_until - timezone.now()  # type: ignore[operator]
    assert timedelta(days=13, hours=23) < left <= timedelta(days=settings.CUSTOM_ORDER_DAYS)


def test_a_payment_that_comes_after_expiry_is_given_back_and_changes_nothing(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    order = order_of(custom)
    world.payments[str(order.payment_id)].update(status="captured", captured=order.total)
    Saga.objects.update(step=Saga.Step.UNDO_PAYMENT, goal="expired")  # it was decided just before
    finish_all()
    assert world.payments[str(order.payment_id)]["refunded"] == order.total
    assert shown(custom)["status"] == "expired"


def test_another_payment_for_one_that_has_expired_is_undone(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    pass_time()
    order, other = order_of(custom), str(uuid.uuid4())
    world.payments[other] = {"id": other, "status": "authorised", "captured": 0, "refunded": 0, "failure_code": ""}
    services.take_payment_news(order_id=order.pk, payment_id=uuid.UUID(other), status="authorised", refunded=0)
    delivery.deliver_due()
    assert (world.payments[other]["status"], shown(custom)["status"]) == ("voided", "expired")


def test_its_order_may_be_forgotten_once_it_is_cancelled(world: Shop, asks: Asks) -> None:
    custom = brought_to("cancelled", world, asks)
    assert staff_caller().delete(f"/api/orders/{order_of(custom).pk}/").status_code == 204
    assert shown(custom)["order"] is None


# -- who


def test_only_its_customer_staff_and_the_link_open_it(world: Shop, asks: Asks) -> None:
    asked = asks(images=[base64.b64encode(picture()).decode()])
    path = f"{PATH}{asked['id']}/"
    image = asked["images"][0].removeprefix("http://localhost").partition("?")[0]
    for there in (path, f"{path}timeline/", image):
        assert caller("ada").get(there).status_code == 200
        assert staff_caller().get(there).status_code == 200
        assert caller("bob").get(there).status_code == 404
        assert nobody().get(there).status_code == 404
        assert nobody().get(f"{there}?secret={asked['secret']}").status_code == 200
        assert nobody().get(f"{there}?secret={asked['secret'][:-1]}x").status_code == 404
        assert nobody().get(f"{there}?secret=").status_code == 404
    assert nobody().patch(path, {"shipping_method": "express"}).status_code == 404
    assert caller("bob").patch(path, {"shipping_method": "express"}).status_code == 404
    assert nobody().patch(f"{path}?secret={asked['secret']}", {"shipping_method": "express"}).status_code == 200


def test_the_secret_of_one_does_not_open_another(world: Shop, asks: Asks) -> None:
    one, other = asks(), asks()
    assert nobody().get(f"{PATH}{one['id']}/?secret={other['secret']}").status_code == 404


def test_who_has_no_identity_asks_and_finds_it_by_the_secret_alone(world: Shop, asks: Asks) -> None:
    asked = asks(nobody())
    assert asked["customer_id"] is None
    seen = nobody().get(f"{PATH}{asked['id']}/?secret={asked['secret']}").json()
    assert (seen["id"], "secret" in seen) == (asked["id"], False)
    assert nobody().get(PATH).status_code == 401


def test_who_has_no_identity_comes_to_an_order_too(world: Shop, asks: Asks) -> None:
    custom = asks(nobody())["id"]
    do(custom, "quote")
    do(custom, "approve")
    assert pay(world, custom).status == "fulfilling"


@pytest.mark.parametrize("deed", ["quote", "approve", "reject"])
def test_only_staff_decide(world: Shop, asks: Asks, deed: str) -> None:
    asked = asks()
    assert do(asked["id"], deed, caller("ada")).status_code == 403
    assert do(asked["id"], deed, nobody()).status_code == 401
    assert nobody().post(f"{PATH}{asked['id']}/{deed}/?secret={asked['secret']}").status_code == 401
    assert do(str(uuid.uuid4()), deed).status_code == 404
    assert shown(asked["id"])["status"] == "pending"


def test_customers_list_their_own_and_staff_all(world: Shop, asks: Asks) -> None:
    asks(), asks(caller("bob")), asks(nobody())
    count = lambda who, query="": who.get(f"{PATH}{query}").json()["count"]  # noqa: E731
    assert (count(caller("ada")), count(staff_caller()), count(staff_caller(), "?customer_id=bob")) == (1, 3, 1)
    assert count(staff_caller(), "?status=quoted") == 0


def test_who_asks_sets_neither_status_nor_price(world: Shop, asks: Asks) -> None:
    asked = asks(status="approved", price="0.01", customer_id="bob", valid_until="2030-01-01T00:00:00Z", note="x")
    found = (asked["status"], asked["price"], asked["customer_id"], asked["valid_until"], asked["note"])
    assert found == ("pending", None, "ada", None, "")


def test_what_a_guest_asked_for_is_the_customers_after_they_sign_in(world: Shop, asks: Asks) -> None:
    custom = asks(caller("guest-1", "guest"))["id"]
    for _ in range(2):
        custom_orders.take_over(guest_id="guest-1", customer_id="ada", customer_type="registered")
    assert caller("ada").get(f"{PATH}{custom}/").json()["customer_type"] == "registered"


def test_staff_are_named_in_the_log(world: Shop, asks: Asks) -> None:
    custom = asks()["id"]
    token = access_token("grace", role="staff")
    do(custom, "quote", Caller(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {token}"), price="1.00")
    assert CustomEvent.objects.get(custom_id=custom, name="quoted").by == "grace"


# -- what is asked


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"description": ""}, "description"),
        ({"description": "x" * 5001}, "description"),
        ({"name": ""}, "name"),
        ({"email": "ada"}, "email"),
        ({"email": "a@b.co\nBcc: c@d.co"}, "email"),
        ({"shipping_address": {**ADDRESS, "country": "UK"}}, "shipping_address.country"),
        ({"shipping_method": "drone"}, "shipping_method"),
        ({"images": "x"}, "images"),
        ({"images": [""] * 6}, "images"),
        ({"images": ["%%%"]}, "images.0"),
        ({"images": [7]}, "images.0"),
    ],
)
def test_an_invalid_wish_is_refused_by_field(world: Shop, changes: dict[str, Any], field: str) -> None:
    answer = caller("ada").post(PATH, {**ASKED, **changes})
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not CustomOrder.objects.exists()


@pytest.mark.parametrize("price", [None, "0", "-1", "1.234", "x", "1e12"])
def test_a_price_that_is_none_is_refused(world: Shop, asks: Asks, price: str | None) -> None:
    answer = do(asks()["id"], "quote", price=price)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["price"])


def test_a_lost_race_for_a_version_is_412(world: Shop, asks: Asks) -> None:
    custom = asks()["id"]
    change = lambda: caller("ada").patch(f"{PATH}{custom}/", {"shipping_method": "express"}, HTTP_IF_MATCH='"1"')  # noqa: E731
    assert [change().status_code, change().status_code] == [200, 412]


def test_one_key_is_one_custom_order(world: Shop) -> None:
    body, key = {**ASKED, "images": [base64.b64encode(picture()).decode()]}, {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    first, second = (caller("ada").post(PATH, body, **key) for _ in range(2))
    assert (first.status_code, second.status_code, second["Idempotent-Replayed"]) == (201, 201, "true")
    assert first.json() == second.json()
    assert caller("ada").post(PATH, {**body, "name": "Eve"}, **key).status_code == 422
    assert (CustomOrder.objects.count(), CustomImage.objects.count()) == (1, 1)
    assert Message.objects.filter(kind=custom_orders.CUSTOM_MAIL).count() == 2


def test_one_key_posted_by_many_at_once_is_one_custom_order(world: Shop) -> None:
    ask = lambda _turn: caller("ada").post(PATH, ASKED, HTTP_IDEMPOTENCY_KEY="k-2").status_code  # noqa: E731
    assert set(at_once(ask, 8)) <= {201, 409}
    assert CustomOrder.objects.count() == 1


# -- pictures


def sent(by: Caller, *files: tuple[str, bytes, str], **fields: Any) -> Any:
    images = [SimpleUploadedFile(name, content, kind) for name, content, kind in files]
    return by.post(PATH, {**ASKED, **fields, "images": images}, format="multipart")


def stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_pictures_come_as_files_and_are_kept_anew_under_names_that_say_nothing(world: Shop) -> None:
    files = ("../../etc/ada.html", picture() + SCRIPT, "text/html"), ("b.png", picture("PNG"), "image/png")
    answer = sent(caller("ada"), *files, **{f"shipping_address.{name}": value for name, value in ADDRESS.items()})
    assert answer.status_code == 201, answer.content
    asked = answer.json()
    assert asked["shipping_address"]["city"] == ADDRESS["city"]
    got = [caller("ada").get(url.removeprefix("http://localhost"), HTTP_ACCEPT="image/*") for url in asked["images"]]
    assert [each["Content-Type"] for each in got] == ["image/jpeg", "image/png"]
    assert all(SCRIPT not in each.content and each["X-Content-Type-Options"] == "nosniff" for each in got)
    assert all(re.fullmatch(r"[0-9a-f]{32}\.(jpeg|png)", path.name) for path in stored())


def test_pictures_come_as_base64_too_bare_or_as_data_urls(world: Shop, asks: Asks) -> None:
    bare = base64.b64encode(picture("WEBP")).decode()
    assert len(asks(images=[bare, f"data:image/webp;base64,{bare}"])["images"]) == 2


BAD = [
    (("a.jpg", SCRIPT, "image/jpeg"), "not_a_picture"),
    (("a.gif", picture("GIF"), "image/gif"), "not_a_picture"),
    (("a.png", picture("GIF"), "image/png"), "not_a_picture"),
    (("a.jpg", picture(size=(400, 400))[:-200], "image/jpeg"), "not_a_picture"),
    (("a.png", noise(1200), "image/png"), "picture_too_large"),
]


@pytest.mark.parametrize(("file", "code"), BAD)
def test_a_bad_picture_is_refused_and_nothing_of_the_wish_is_kept(
    world: Shop, file: tuple[str, bytes, str], code: str
) -> None:
    answer = sent(caller("ada"), ("good.png", picture("PNG"), "image/png"), file)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["details"]) == ["images.1"]
    assert (CustomOrder.objects.count(), stored()) == (0, [])


def test_when_it_can_not_be_kept_its_pictures_are_not_either(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_orders, "_log", lambda *_args: 1 / 0)
    assert sent(caller("ada"), ("good.png", picture("PNG"), "image/png")).status_code == 500
    assert (CustomOrder.objects.count(), stored()) == (0, [])


def test_text_in_a_form_is_text(world: Shop) -> None:
    assert sent(caller("ada"), description="a\x1b[31mb").status_code == 400


def test_a_picture_that_the_storage_has_lost_is_404(world: Shop, asks: Asks) -> None:
    url = asks(images=[base64.b64encode(picture()).decode()])["images"][0].removeprefix("http://localhost")
    stored()[0].unlink()
    assert caller("ada").get(url).status_code == 404


def test_anothers_picture_is_not_found_under_ones_own(world: Shop, asks: Asks) -> None:
    mine, theirs = asks(), asks(caller("bob"), images=[base64.b64encode(picture()).decode()])
    image = theirs["images"][0].partition("?")[0].rstrip("/").rpartition("/")[2]
    assert caller("ada").get(f"{PATH}{mine['id']}/images/{image}/").status_code == 404


def test_a_picture_of_a_custom_order_that_was_never_made_is_forgotten_after_a_day(world: Shop, asks: Asks) -> None:
    asks(images=[base64.b64encode(picture()).decode()])
    kept = set(stored())
    lost, fresh = (pictures.keep(Picture(picture(), "jpeg")) for _ in range(2))
    for file in stored():
        if not file.name.endswith(fresh.rpartition("/")[2]):
            os.utime(file, (0, 0))
    assert pictures.forget_orphans() == 1
    assert {file.name for file in stored()} == {file.name for file in kept} | {fresh.rpartition("/")[2]}
    assert lost not in {file.name for file in stored()}


# -- mails


def delivered() -> list[Any]:
    """The mails, after everything that waits has been delivered, by several at once, and all of it again."""
    for _ in range(2):
        at_once(lambda _number: delivery.deliver_due(), 3)
    return [each for each in mail.outbox if "ustom" in each.subject or "request" in each.subject]


def test_each_is_told_once_of_each_step_in_text_and_html(world: Shop, asks: Asks) -> None:
    nasty = "<script>x</script>"
    asked = asks(description=nasty, name=nasty)
    received, to_staff = sorted(delivered(), key=lambda each: each.to)
    assert (received.to, to_staff.to) == (["ada@example.com"], ["staff@example.com"])
    assert nasty not in received.body
    assert asked["secret"] in received.body
    assert (nasty in to_staff.body, asked["secret"] in to_staff.body) == (True, False)
    do(asked["id"], "quote", price="100.00", note=nasty)
    do(asked["id"], "approve")
    custom_orders.carry_on()
    quoted, approved = sorted(delivered()[2:], key=lambda each: "paid" in each.subject)
    assert "100.00 USD" in quoted.body
    assert f"/api/payments/{order_of(asked['id']).payment_id}/pay/" in approved.body
    assert "Total: 105.00 USD" in approved.body
    assert not [part for each in mail.outbox for part, _kind in each.alternatives if nasty in part]
    pay(world, asked["id"])
    delivered()
    assert [each.subject for each in mail.outbox[4:]] == [f"Your order {order_of(asked['id']).pk}"]


@pytest.mark.parametrize(("status", "words"), [("rejected", "cannot make"), ("expired", "held until")])
def test_what_comes_to_nothing_is_told_once(world: Shop, asks: Asks, status: str, words: str) -> None:
    brought_to(status, world, asks)
    assert [words in each.body for each in delivered()].count(True) == 1


# -- at once


def test_of_many_approvals_at_once_one_makes_the_order(world: Shop, asks: Asks) -> None:
    custom = brought_to("quoted", world, asks)
    answers = at_once(lambda _turn: do(custom, "approve"), 8)
    codes = [answer.status_code for answer in answers]
    assert (codes.count(200), set(codes)) == (1, {200, 409})
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "already_approved",
        "conflict",
    }
    assert (Order.objects.count(), shown(custom)["status"]) == (1, "approved")
    pay(world, custom)
    assert world.charges == 1


def test_approved_and_expired_at_once_it_is_one_of_them(world: Shop, asks: Asks) -> None:
    customs = [brought_to("quoted", world, asks) for _ in range(4)]
    CustomOrder.objects.update(valid_until=timezone.now() + timedelta(milliseconds=150))

    def race(number: int) -> int:
        return do(customs[number // 2], "approve").status_code if number % 2 else custom_orders.carry_on()

    at_once(race, 8)
    CustomOrder.objects.filter(status="quoted").update(valid_until=timezone.now())
    custom_orders.carry_on()
    for custom in CustomOrder.objects.all():
        assert (custom.status, custom.order is None) in (("approved", False), ("expired", True))


def test_approved_and_quoted_anew_at_once_it_is_never_sold_at_a_price_that_is_not_its_own(
    world: Shop, asks: Asks
) -> None:
    custom = brought_to("quoted", world, asks)
    deeds = ["approve", "quote"] * 4
    at_once(lambda turn: do(custom, deeds[turn], **({"price": f"{turn}.50"} if turn % 2 else {})), 8)
    do(custom, "approve")
    assert order_of(custom).subtotal == CustomOrder.objects.get(pk=custom).price
    assert Order.objects.count() == 1


def test_rejected_and_paid_at_once_it_is_one_of_them(world: Shop, asks: Asks) -> None:
    customs = [brought_to("approved", world, asks) for _ in range(4)]
    for payment in world.payments.values():
        payment["status"] = "authorised"
    later()

    def race(number: int) -> None:
        order = order_of(customs[number // 2])
        saga.run(order.pk) if number % 2 else do(customs[number // 2], "reject")

    at_once(race, 8)
    finish_all()
    assert list(audit.audit(books(world))) == []


# -- the auditor


def test_the_auditor_knows_what_has_no_stock_and_finds_what_disagrees(world: Shop, asks: Asks) -> None:
    custom = brought_to("paid", world, asks)
    found = books(world)
    assert list(audit.audit(found)) == []
    CustomOrder.objects.filter(pk=custom).update(status="approved")
    assert {each.rule for each in audit.audit(found)} == {"custom ⇔ its order", "the log is a path"}


def test_the_sweep_and_the_mails_are_declared() -> None:
    assert custom_orders.carry_on in [sweep.run for sweep in tasks.SWEEPS]
    assert custom_orders.CUSTOM_MAIL in tasks.HANDLERS


def test_the_payment_s_page_is_known_to_us(world: Shop, asks: Asks) -> None:
    custom = brought_to("approved", world, asks)
    order = order_of(custom)
    assert order.payment_id
    assert clients.payment(payment_id=order.payment_id).action_url.endswith("/pay/")
