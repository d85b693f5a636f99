"""What Django sets up of shopkit itself."""

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper


def _asked_for(connection: BaseDatabaseWrapper) -> bool:
    return connection.force_debug_cursor


class ShopkitConfig(AppConfig):
    name = "shopkit"

    def ready(self) -> None:
        # With DEBUG alone, Django would format and keep each query; there is no setting for it.
        BaseDatabaseWrapper.queries_logged = property(_asked_for)  # type: ignore[assignment,method-assign]
