"""Sample data is loaded, whatever becomes of the store's connections meanwhile."""

import io

import pytest
from django.core.management import call_command
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from shopkit.items.services import items

pytestmark = pytest.mark.usefixtures("store")


def load() -> str:
    said = io.StringIO()
    call_command("load_initial_data", stdout=said)
    return " ".join(said.getvalue().split())


def test_a_connection_that_breaks_meanwhile_is_made_anew_and_nothing_is_doubled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write, breaks = Collection.bulk_write, [AutoReconnect("after the first"), AutoReconnect("before the next")]

    def breaking(*given: object, **more: object) -> object:
        if len(breaks) == 1:
            raise breaks.pop()
        done = write(*given, **more)  # type: ignore[arg-type]
        if breaks:
            raise breaks.pop()
        return done

    monkeypatch.setattr(Collection, "bulk_write", breaking)
    load()
    loaded = items().count_documents({})
    assert loaded > 200
    assert load() == f"0 added, {loaded} there already"


def test_a_store_that_stays_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_given: object, **_more: object) -> None:
        raise AutoReconnect("gone")

    monkeypatch.setattr(Collection, "bulk_write", gone)
    with pytest.raises(AutoReconnect):
        load()
