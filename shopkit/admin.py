"""What the Django admin may do with rows that change through the API only."""

from typing import Any


class NotWritten:
    """For a `ModelAdmin` or an inline: rows are neither added nor changed."""

    def has_add_permission(self, *_args: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any) -> bool:
        return False


class LookOnly(NotWritten):
    """Nor deleted."""

    def has_delete_permission(self, *_args: Any) -> bool:
        return False
