"""What all services' Django admins share: what staff do is logged, and some rows change through the API only."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import structlog
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

MOST_IDS = 100  # in one line of the log
Action = Callable[..., Any]
log = structlog.get_logger()


class StaffAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # which it takes in its stubs alone
    """The base of every `ModelAdmin`: each change is a line `staff_action` in the log too, without its values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._log(request, "addition", [obj], _fields(message))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._log(request, "change", [obj], _fields(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        self._log(request, "deletion", queryset)
        return super().log_deletions(request, queryset)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those for several rows at once; Django's own, to delete them, is logged when they are deleted."""
        actions: dict[str, Any] = super().get_actions(request)
        own = {name: (_logged(action), *rest) for name, (action, *rest) in actions.items() if name != "delete_selected"}
        return {**actions, **own}

    def _log(self, request: HttpRequest, action: str, objects: Iterable[Model], fields: Iterable[str] = ()) -> None:
        ids = [str(row.pk) for row in objects]
        log.info(
            "staff_action",
            staff=request.user.get_username(),  # the account's id
            action=action,
            model=self.opts.label,
            ids=ids[:MOST_IDS],
            count=len(ids),
            fields=list(fields),
        )


def _logged(action: Action) -> Action:
    @wraps(action)
    def run(model_admin: StaffAdmin, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        model_admin._log(request, action.__name__, queryset)
        return action(model_admin, request, queryset)

    return run


def _fields(message: Any) -> list[str]:
    """`["First name", "address.City", "address added"]` of the message that Django makes of a form and its inlines."""
    found = []
    for entry in message if isinstance(message, list) else []:
        for verb, what in entry.items():
            name = what.get("name")
            found += [f"{name}.{field}" if name else str(field) for field in what.get("fields", ())]
            found += [f"{name} {verb}"] if name and verb != "changed" else []
    return found


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
