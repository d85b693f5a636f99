"""What every item service does with reviews, likes, tags and images; a part of `ItemServiceTests`."""

from typing import Any, ClassVar

import pytest
from django.test import Client

from shopkit.testing import access_token

CUSTOMER = {"X-User-ID": "123", "X-Customer-Type": "registered"}
GUEST = {"X-User-ID": "g1", "X-Customer-Type": "guest"}
LIKED = {"liked": True, "likes": 1}
JSON = "application/json"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"  # a red dot


class OpinionTests:
    path: ClassVar[str]
    example: ClassVar[dict[str, Any]]

    def make(self, client: Client, **more: Any) -> Any:
        answer = client.post(self.path, {**self.example, **more}, JSON)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def one(self, item: dict[str, Any]) -> str:
        return f"{self.path}{item['id']}/"

    def test_tags_are_kept_in_lower_case_without_spaces_around_them(self, client: Client) -> None:
        item = self.make(client, tags=["  Sale ", "sale", "New In"])
        assert item["tags"] == ["sale", "new in"]
        assert client.get(f"{self.path}?tag=%20SALE").json()["count"] == 1
        assert client.post(self.path, {**self.example, "tags": [" "]}, JSON).status_code == 400

    def test_customers_review_it_and_like_it_and_the_item_shows_it(self, client: Client) -> None:
        item = self.make(client)
        reviews, mine, like = (f"{self.one(item)}{rest}" for rest in ("reviews/", "reviews/mine/", "like/"))
        made = client.post(reviews, {"rating": 4, "text": "Good"}, JSON, headers=CUSTOMER)
        assert (made.status_code, made.json()["rating"], made.json()["verified"]) == (201, 4, False)
        again = client.post(reviews, {"rating": 5}, JSON, headers=CUSTOMER)
        assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")
        assert client.patch(mine, {"rating": 5}, JSON, headers=CUSTOMER).json()["text"] == "Good"
        client.post(reviews, {"rating": 2}, JSON, headers={**CUSTOMER, "X-User-ID": "456"})
        assert client.post(like, headers=GUEST).json() == client.post(like, headers=GUEST).json() == LIKED
        shown = client.get(self.one(item)).json()
        assert (shown["rating"], shown["likes"]) == ({"average": 3.5, "count": 2}, 1)
        assert client.get(f"{self.path}?ordering=-rating").json()["results"][0] == shown
        assert client.delete(mine, headers=CUSTOMER).status_code == 204
        assert client.delete(like, headers=GUEST).status_code == 204
        shown = client.get(self.one(item)).json()
        assert (shown["rating"], shown["likes"]) == ({"average": 2.0, "count": 1}, 0)

    def test_guests_do_not_review_and_only_staff_remove_what_others_wrote(self, client: Client) -> None:
        reviews = f"{self.one(self.make(client))}reviews/"
        refused = client.post(reviews, {"rating": 5}, JSON, headers=GUEST)
        assert (refused.status_code, refused.json()["code"]) == (403, "account_needed")
        review = client.post(reviews, {"rating": 5}, JSON, headers=CUSTOMER).json()
        assert client.delete(f"{reviews}{review['id']}/", headers=CUSTOMER).status_code == 403
        assert client.delete(f"{reviews}{review['id']}/").status_code == 204
        assert client.delete(f"{reviews}{review['id']}/").status_code == 404
        assert client.get(reviews).json()["count"] == 0

    def test_what_is_said_of_an_item_is_said_of_it_alone(self, client: Client) -> None:
        item, other = self.make(client), self.make(client)
        made = client.post(f"{self.one(item)}reviews/", {"rating": 5}, JSON, headers=CUSTOMER).json()
        assert client.delete(f"{self.one(other)}reviews/{made['id']}/").status_code == 404
        assert client.get(f"{self.one(other)}reviews/mine/", headers=CUSTOMER).status_code == 404
        assert client.get(f"{self.one(other)}like/", headers=CUSTOMER).json() == {"liked": False, "likes": 0}

    @pytest.mark.parametrize("rest", ["reviews/", "reviews/mine/", "like/", "images/", "images/a.png/"])
    def test_of_an_item_that_is_none_there_is_nothing(self, client: Client, rest: str) -> None:
        grace = {"Authorization": f"Bearer {access_token('grace', role='staff')}"}
        for method in ("get", "post", "patch", "delete"):
            body = {"rating": 5, "image": PICTURE}
            answer = getattr(client, method)(f"{self.path}nothing/{rest}", body, content_type=JSON, headers=grace)
            assert answer.status_code in (404, 405), (method, answer.content)

    def test_it_has_pictures(self, client: Client) -> None:
        item = self.make(client)
        added = client.post(f"{self.one(item)}images/", {"image": PICTURE}, JSON).json()
        assert client.get(self.one(item)).json()["images"] == [added["url"]]
        assert client.get(added["url"])["Content-Type"] == "image/png"
        assert client.delete(added["url"]).status_code == 204
        assert client.get(self.one(item)).json()["images"] == []
