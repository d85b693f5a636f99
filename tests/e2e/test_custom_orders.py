"""A piece made to order, through the gateway, on real services: asked for with a picture, quoted, paid and sent."""

import base64
import io
from typing import Any

import requests
from PIL import Image

from tests.e2e.test_checkout import wait_for_clean_books
from tests.fleet import Fleet
from tests.people import ADDRESS
from tests.waiting import wait_for

PATH = "/api/custom-orders/"
ASKED = {"description": "A case with beads", "name": "Ada", "email": "ada@example.com", "shipping_address": ADDRESS}
ADA = {"X-User-ID": "ada-asks", "X-Customer-Type": "registered"}


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(written, "PNG")
    return written.getvalue()


def approved(fleet: Fleet) -> Any:
    """One that waits to be paid, and where."""
    wish = {**ASKED, "images": [base64.b64encode(picture()).decode()]}
    asked = fleet.call("POST", PATH, json=wish, headers=ADA)
    assert asked.status_code == 201, asked.text
    path = f"{PATH}{asked.json()['id']}/"
    assert fleet.call("POST", f"{path}quote/", json={"price": "100.00", "note": "In blue"}).status_code == 200
    answer = fleet.call("POST", f"{path}approve/", json={})
    assert answer.status_code == 200, answer.text
    wait_for(lambda: shown(fleet, path)["payment_url"])
    return {**shown(fleet, path), "path": path}


def shown(fleet: Fleet, path: str) -> Any:
    return fleet.get(path, headers=ADA).json()


def test_a_piece_is_asked_for_quoted_paid_on_the_providers_page_and_sent(fleet: Fleet) -> None:
    custom = approved(fleet)
    image = requests.get(custom["images"][0], headers=ADA, timeout=20)
    assert (image.status_code, image.headers["Content-Type"]) == (200, "image/png")
    assert "declined" in requests.post(custom["payment_url"], data={"card": "4000000000000002"}, timeout=20).text
    assert "authorised" in requests.post(custom["payment_url"], data={"card": "4111111111111111"}, timeout=20).text
    wait_for(lambda: shown(fleet, custom["path"])["order"]["tracking_number"])
    wait_for(lambda: shown(fleet, custom["path"])["status"] == "paid")
    order = fleet.get(f"/api/orders/{custom['order']['id']}/", headers=ADA).json()
    payment = fleet.get(f"/api/payments/?order_id={order['id']}", headers=ADA).json()["results"][0]
    assert (payment["status"], payment["captured"]) == ("captured", order["total"])
    parcel = fleet.get(f"/api/shipments/track/{order['tracking_number']}/").json()
    assert parcel["status"]
    wait_for_clean_books(fleet)


def test_a_form_with_files_and_a_link_with_a_secret_will_do(fleet: Fleet) -> None:
    fields = {"description": "A case", "name": "Ada", "email": "ada@example.com"}
    asked = fleet.call("POST", PATH, data=fields, files={"images": ("a.png", picture(), "image/png")}, headers=ADA)
    assert asked.status_code == 201, asked.text
    path, secret = f"{PATH}{asked.json()['id']}/", asked.json()["secret"]
    stranger = {"X-User-ID": "eve", "X-Customer-Type": "guest"}
    assert fleet.get(path, headers=stranger).status_code == 404
    seen = fleet.get(f"{path}?secret={secret}", headers=stranger).json()
    assert requests.get(seen["images"][0], headers=stranger, timeout=20).status_code == 200


def test_one_that_is_rejected_can_not_be_paid_any_more(fleet: Fleet) -> None:
    custom = approved(fleet)
    assert fleet.call("POST", f"{custom['path']}reject/", json={}).json()["status"] == "rejected"
    wait_for(lambda: shown(fleet, custom["path"])["order"]["status"] == "cancelled")
    requests.post(custom["payment_url"], data={"card": "4111111111111111"}, timeout=20)
    payment = fleet.get(f"/api/payments/?order_id={custom['order']['id']}", headers=ADA).json()["results"][0]
    assert (payment["status"], payment["captured"]) == ("voided", "0.00")
    wait_for_clean_books(fleet)
