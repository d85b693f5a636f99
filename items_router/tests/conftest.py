"""Every test begins with an empty catalogue."""

from collections.abc import Iterator

import pytest

from items_router.catalogue import sources, store
from shopkit.auth import Identity
from shopkit.config import config
from shopkit.testing import Caller


@pytest.fixture(autouse=True)
def empty_catalogue() -> Iterator[None]:
    yield
    store.close()
    for path in config().data.resolve().glob("catalogue.sqlite3*"):
        path.unlink()
    sources.forget_known()


@pytest.fixture
def book_service() -> Caller:
    """The book service, as it tells us something."""
    client = Caller(HTTP_HOST="localhost")
    client.force_authenticate(user=Identity(service="book_service"))  # type: ignore[arg-type]
    return client
