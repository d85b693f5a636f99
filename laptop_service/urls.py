"""Routes of laptop_service."""

from laptop_service.documents import KIND
from shopkit.items.urls import item_urls

urlpatterns = item_urls(KIND)
