"""One serializer of a class for all of a process's requests, as if each had its own."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest
from rest_framework import serializers
from rest_framework.request import Request

from shopkit.shapes import given, shown


class PieceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=5)
    tags = serializers.ListField(child=serializers.CharField(), default=list)


class ParcelSerializer(serializers.Serializer[Any]):
    made: ClassVar[int] = 0
    number = serializers.IntegerField(source="no")
    pieces = PieceSerializer(many=True)
    size = serializers.SerializerMethodField()
    secret = serializers.CharField(write_only=True, required=False)

    def get_fields(self) -> Any:
        type(self).made += 1
        return super().get_fields()

    def get_size(self, parcel: Any) -> int:
        return len(parcel.pieces)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["pieces"]:
            raise serializers.ValidationError("A parcel of nothing is none.")
        return attrs


def parcel(number: int) -> Any:
    return SimpleNamespace(no=number, pieces=[{"name": f"p{number}", "tags": [str(number)]}] * (number % 5))


def saying(data: object) -> Request:
    return cast(Request, SimpleNamespace(data=data))


def body(number: int) -> dict[str, Any]:
    return {"number": str(number), "pieces": [{"name": f"p{number}"}]}


def test_what_is_shown_is_what_a_serializer_of_its_own_would_show() -> None:
    for number in range(9):
        assert shown(ParcelSerializer, parcel(number)) == ParcelSerializer(parcel(number)).data


def test_the_fields_are_made_once() -> None:
    shown(ParcelSerializer, parcel(1))
    made = ParcelSerializer.made
    shown(ParcelSerializer, parcel(2))
    given(ParcelSerializer, saying(body(3)))
    assert ParcelSerializer.made == made


def test_threads_that_share_it_each_get_their_own() -> None:
    def both(number: int) -> tuple[Any, Any]:
        return shown(ParcelSerializer, parcel(number))["number"], given(ParcelSerializer, saying(body(number)))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(both, range(2000)))
    assert found == [(n, {"no": n, "pieces": [{"name": f"p{n}", "tags": []}]}) for n in range(2000)]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"number": "x", "pieces": [{"name": "a"}, {"name": "too long"}]},
        {"number": 1, "pieces": []},
        {"number": 1, "pieces": "none"},
        [],
        "text",
    ],
)
def test_what_is_refused_is_refused_as_by_a_serializer_of_its_own_and_leaves_nothing_behind(data: Any) -> None:
    own = ParcelSerializer(data=data)
    assert not own.is_valid()
    with pytest.raises(serializers.ValidationError) as refused:
        given(ParcelSerializer, saying(data))
    assert refused.value.detail == own.errors
    assert given(ParcelSerializer, saying(body(1)))["no"] == 1


def test_what_is_made_of_a_default_is_nobody_elses() -> None:
    given(ParcelSerializer, saying(body(1)))["pieces"][0]["tags"].append("mine")
    assert given(ParcelSerializer, saying(body(1)))["pieces"][0]["tags"] == []
