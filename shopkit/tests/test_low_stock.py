"""Low stock: staff are told once for each time that it falls, whoever buys and however many look."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from shopkit.items import low_stock, stock
from shopkit.testing import Caller, at_once
from shopkit.tests.test_stock import Make, make, order_id  # noqa: F401  # a fixture

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def _alerts(settings: Any) -> None:
    settings.ALERT_EMAIL = "boss@example.com"


def buy(item: str, quantity: int = 1) -> None:
    order = order_id()
    stock.reserve(order_id=order, lines={item: quantity})
    stock.commit(order_id=order, lines={item: quantity})


def told() -> list[str]:
    """The mails so far, once several have looked at once, twice."""
    for _ in range(2):
        at_once(lambda _number: low_stock.look(), 4)
    return [str(sent.body) for sent in mail.outbox]


def test_fifty_who_buy_at_once_make_one_mail(make: Make) -> None:  # noqa: F811
    item = make(52)
    with ThreadPoolExecutor(8) as pool:
        for done in [*[pool.submit(buy, item) for _ in range(50)], *[pool.submit(low_stock.look) for _ in range(20)]]:
            done.result()
    [text] = told()
    assert f"of Emma ({item})" in text
    assert mail.outbox[0].to == ["boss@example.com"]
    assert item in mail.outbox[0].alternatives[0][0]  # type: ignore[attr-defined]


def test_when_there_is_enough_again_the_next_fall_is_told_too(make: Make) -> None:  # noqa: F811
    item = make(8)
    buy(item, 3)
    assert len(told()) == 1
    buy(item)
    assert len(told()) == 1
    stock.adjust(item_id=item, change=10, reason="bought in")
    assert len(told()) == 1
    buy(item, 9)
    assert len(told()) == 2


def test_an_item_may_have_a_threshold_of_its_own(make: Make, staff: Caller) -> None:  # noqa: F811
    early, late = make(30), make(30)
    assert staff.patch(f"/api/books/{early}/", {"low_stock_at": 20}).json()["low_stock_at"] == 20
    buy(early, 10)
    buy(late, 10)
    [text] = told()
    assert (early in text, late in text) == (True, False)
    assert staff.patch(f"/api/books/{late}/", {"low_stock_at": -1}).status_code == 400


def test_a_new_item_with_little_is_no_news(make: Make) -> None:  # noqa: F811
    make(1)
    assert told() == []


def test_a_name_is_only_text(make: Make, staff: Caller) -> None:  # noqa: F811
    item = make(6)
    staff.patch(f"/api/books/{item}/", {"name": "<script>alert(1)</script>"})
    buy(item)
    told()
    assert "<script" not in mail.outbox[0].alternatives[0][0]  # type: ignore[attr-defined]
    assert mail.outbox[0].subject == "Low stock: 1 item"


def test_while_the_mail_server_is_away_it_is_kept_and_told_later(
    make: Make,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = make(6)
    buy(item)

    def away(self: EmailBackend) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "open", away)
        assert told() == []
    assert len(told()) == 1


def test_what_may_have_been_sent_is_not_sent_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    item = make(6)
    buy(item)

    def dies(**_mail: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(low_stock.mail, "send", dies)
        with pytest.raises(KeyboardInterrupt):
            low_stock.look()
    assert told() == []


def test_without_an_address_nobody_is_told(make: Make, settings: Any) -> None:  # noqa: F811
    settings.ALERT_EMAIL = None
    buy(make(6))
    assert told() == []
