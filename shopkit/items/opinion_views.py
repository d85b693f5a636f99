"""The HTTP side of reviews, likes and images: parse, one use-case, serialize."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shopkit.auth import caller
from shopkit.errors import Forbidden, Invalid
from shopkit.items import images, likes, reviews
from shopkit.items.opinion_serializers import (
    ImageAddedSerializer,
    ImageShownSerializer,
    LikeSerializer,
    ReviewSerializer,
)
from shopkit.items.serializers import image_path
from shopkit.items.views import KindView
from shopkit.mongo import Document
from shopkit.parsers import StrictJSONParser, StrictMultiPartParser
from shopkit.permissions import HasAccount, IsKnown, IsStaff, ReadOrStaff
from shopkit.picture_api import AnyKind, picture_answer

FOR_EVER = "public, max-age=31536000, immutable"


def _customer(request: Request) -> str:
    """The customer who calls; `Forbidden("no_customer")` for one who is none, such as a developer in open access."""
    if customer_id := caller(request).customer_id:
        return customer_id
    raise Forbidden("Only a customer can do this; say which one you are.", code="no_customer")


def _review(review: Document) -> Any:
    return ReviewSerializer(reviews.shown([review])[0]).data


class ReviewListView(KindView):
    """What customers say of an item, the latest first; each says it once."""

    def get_permissions(self) -> Any:
        return [HasAccount()] if self.request.method == "POST" else [AllowAny()]

    def get(self, request: Request, item_id: str) -> Response:
        pages = self.pagination_class()
        found = reviews.listed(item_id=item_id, ordering=request.query_params.get("ordering"))
        page: Any = pages.paginate_queryset(found, request, self)
        return pages.get_paginated_response(ReviewSerializer(reviews.shown(page), many=True).data)

    def post(self, request: Request, item_id: str) -> Response:
        """Once a customer and item; a second one is 409 `already_reviewed`."""
        given = ReviewSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = reviews.post(item_id=item_id, customer_id=_customer(request), **given.validated_data)
        return Response(_review(made), status=status.HTTP_201_CREATED)


class MyReviewView(KindView):
    """The caller's own review of an item."""

    permission_classes = [HasAccount]

    def get(self, request: Request, item_id: str) -> Response:
        return Response(_review(reviews.get(item_id=item_id, customer_id=caller(request).customer_id)))

    def put(self, request: Request, item_id: str) -> Response:
        return self._change(item_id, partial=False)

    def patch(self, request: Request, item_id: str) -> Response:
        return self._change(item_id, partial=True)

    def delete(self, request: Request, item_id: str) -> Response:
        reviews.withdraw(item_id=item_id, customer_id=caller(request).customer_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, item_id: str, *, partial: bool) -> Response:
        given = ReviewSerializer(data=self.request.data, partial=partial)
        given.is_valid(raise_exception=True)
        customer_id = caller(self.request).customer_id
        return Response(_review(reviews.change(item_id=item_id, customer_id=customer_id, **given.validated_data)))


class ReviewView(KindView):
    permission_classes = [IsStaff]

    def delete(self, request: Request, item_id: str, review_id: str) -> Response:
        """Staff only: takes away a review that should not be there."""
        reviews.remove(item_id=item_id, review_id=review_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LikeView(KindView):
    """Whether the caller, a guest too, likes an item; said twice it counts once."""

    permission_classes = [IsKnown]

    def get(self, request: Request, item_id: str) -> Response:
        return self._like(likes.get(item_id=item_id, customer_id=caller(request).customer_id))

    def post(self, request: Request, item_id: str) -> Response:
        return self._like(likes.like(item_id=item_id, customer_id=_customer(request)))

    def delete(self, request: Request, item_id: str) -> Response:
        likes.unlike(item_id=item_id, customer_id=_customer(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _like(self, found: Document) -> Response:
        return Response(LikeSerializer(found).data)


class ImageListView(KindView):
    """An item's pictures, in the order they came."""

    permission_classes = [ReadOrStaff]
    parser_classes = [StrictJSONParser, StrictMultiPartParser]

    def get(self, request: Request, item_id: str) -> Response:
        pages = self.pagination_class()
        page: Any = pages.paginate_queryset(images.names(item_id=item_id), request, self)
        return pages.get_paginated_response([self._shown(item_id, name) for name in page])

    def post(self, request: Request, item_id: str) -> Response:
        """Staff only: a JPEG, PNG or WebP picture of 500 KB at most, as a file of a form or as base64 in JSON."""
        given = ImageAddedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        name = images.add(item_id=item_id, raw=given.validated_data["image"])
        return Response(self._shown(item_id, name), status=status.HTTP_201_CREATED)

    def _shown(self, item_id: str, name: str) -> Any:
        url = image_path(self.kind.path, item_id, name)
        thumbnails = {str(width): f"{url}?width={width}" for width in images.WIDTHS}
        return ImageShownSerializer({"name": name, "url": url, "thumbnails": thumbnails}).data


class ImageView(KindView):
    """One picture, which never changes under its name."""

    permission_classes = [ReadOrStaff]
    content_negotiation_class = AnyKind

    def get(self, request: Request, item_id: str, image_name: str) -> HttpResponseBase:
        width = _width(request)
        tag = f'"{image_name}-{width or "full"}"'
        picture = images.content(item_id=item_id, name=image_name, width=width)
        answer = picture_answer(picture.content, picture.kind, cache=FOR_EVER)
        answer["ETag"] = tag
        return get_conditional_response(request._request, etag=tag, response=answer) or answer

    def delete(self, request: Request, item_id: str, image_name: str) -> Response:
        images.delete(item_id=item_id, name=image_name)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _width(request: Request) -> int | None:
    text = request.query_params.get("width")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise Invalid("width must be a number of pixels.", details={"width": ["not a number of pixels"]})
    return int(text)
