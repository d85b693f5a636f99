"""Routes of book_service."""

from book_service.documents import KIND
from shopkit.items.urls import item_urls

urlpatterns = item_urls(KIND)
