"""The shapes of what customers say of items, and of items' pictures."""

from typing import Any

from rest_framework import serializers

from shopkit.items.serializers import TextField
from shopkit.picture_api import PictureField


class ReviewSerializer(serializers.Serializer[Any]):
    """`{id, rating, text, verified, created_at, updated_at}`; `verified`: who wrote it has bought the item."""

    id = serializers.CharField(source="_id", read_only=True)
    rating = serializers.IntegerField(min_value=1, max_value=5)
    text = TextField(max_length=5000)
    verified = serializers.BooleanField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)


class LikeSerializer(serializers.Serializer[Any]):
    """`{liked, likes}`: whether the caller likes it, and how many do."""

    liked = serializers.BooleanField()
    likes = serializers.IntegerField()


class ImageAddedSerializer(serializers.Serializer[Any]):
    """`{image}`: a file of a form, or base64."""

    image = PictureField()


class ImageShownSerializer(serializers.Serializer[Any]):
    """`{name, url, thumbnails: {"200": …, "600": …}}`; paths, as `images` of an item has them."""

    name = serializers.CharField()
    url = serializers.CharField()
    thumbnails = serializers.DictField(child=serializers.CharField())
