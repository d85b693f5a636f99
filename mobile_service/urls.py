"""Routes of mobile_service."""

from mobile_service.documents import KIND
from shopkit.items.urls import item_urls

urlpatterns = item_urls(KIND)
