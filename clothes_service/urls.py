"""Routes of clothes_service."""

from clothes_service.documents import KIND
from shopkit.items.urls import item_urls

urlpatterns = item_urls(KIND)
