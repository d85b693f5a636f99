"""Who may have JSON, has it as REST framework itself would give it."""

from typing import Any

import pytest
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from shopkit.negotiation import Negotiation


class Text(BaseRenderer):
    media_type, format = "text/plain", "txt"


ACCEPTED = [None, "", "*/*", "application/json", "application/json; indent=2", "text/html, */*", "text/plain", "a/b"]


def chosen(by: DefaultContentNegotiation, renderers: list[Any], path: str, accepted: str | None) -> tuple[type, str]:
    headers = {} if accepted is None else {"HTTP_ACCEPT": accepted}
    request = Request(APIRequestFactory().get(path, **headers))
    renderer, media_type = by.select_renderer(request, [each() for each in renderers])
    return type(renderer), media_type


@pytest.mark.parametrize("renderers", [[JSONRenderer], [Text], [JSONRenderer, Text], [Text, JSONRenderer]])
@pytest.mark.parametrize("path", ["/", "/?format=json", "/?format=txt"])
@pytest.mark.parametrize("accepted", ACCEPTED)
def test_what_is_chosen_is_what_rest_framework_chooses(renderers: list[Any], path: str, accepted: str | None) -> None:
    def outcome(by: DefaultContentNegotiation) -> object:
        try:
            return chosen(by, renderers, path, accepted)
        except Exception as error:  # which of them is told apart too
            return type(error)

    assert outcome(Negotiation()) == outcome(DefaultContentNegotiation())


def test_who_takes_no_json_has_none() -> None:
    with pytest.raises(NotAcceptable):
        chosen(Negotiation(), [JSONRenderer], "/", "text/plain")


def test_every_view_chooses_so() -> None:
    assert APIView.content_negotiation_class is Negotiation
