"""The customer services, played."""

import pytest
import responses

from customer_router.tests.peers import Peers


@pytest.fixture
def services_played(peers: responses.RequestsMock) -> Peers:
    return Peers(peers)


@pytest.fixture
def three(services_played: Peers) -> Peers:
    """A registered customer, c1."""
    services_played.has("registered")
    return services_played
