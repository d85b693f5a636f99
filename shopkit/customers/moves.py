"""A customer's move to the service of another type, as the one they leave and the one they come to have it.

The journal of the customer router calls the steps: `hold` and `arrive`, `leave`, `settle`; or, while nobody has left,
`refuse` and `release`, which undo. Each may be repeated, and none counts any more after what undid it, so that a call
that was late changes nothing. Ids of moves rise with time: once another move has come after it, a move is over too.

`leave` is the one write that decides where the customer is. From then on who was left sends on with a ticket, and who
brings it finds the customer where they arrived, even before `settle`: they are in one place at any moment.
"""

import secrets
import uuid
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Field, Model

from shopkit.errors import Conflict, NotFound, found

PROFILE = ("first_name", "last_name", "phone", "preferences", "email", "birth_date", "created_at")
ROWS = ("addresses", "viewed_items", "purchases")
Values = dict[str, Any]


@dataclass(frozen=True)
class Moves:
    """The moves of one service's customers. A service that has more to do with one overrides the methods at the end."""

    customers: type[Model]

    @transaction.atomic
    def hold(self, *, customer_id: str, move_id: uuid.UUID, to: str) -> Values:
        """Keeps the customer from changing; `{ticket, customer}`, all that goes along.

        `NotFound`, for who is anonymised too; `Conflict`: `moving` elsewhere, or `move_undone`.
        """
        row = found(self._locked(customer_id))
        if row.anonymised_at:
            raise NotFound
        if row.moved_to or _is_over(row, move_id) or (row.move_id == move_id and not row.moving_to):
            raise _undone()
        if row.moving_to and row.move_id != move_id:
            raise Conflict("This customer is moving already.", code="moving", headers={"Retry-After": "1"})
        if not row.moving_to:
            row.move_id, row.moving_to, row.leave_ticket = move_id, to, secrets.token_urlsafe(24)
            row.save()
        return {"ticket": row.leave_ticket, "customer": packed(row)}

    @transaction.atomic
    def arrive(
        self, *, customer_id: str, move_id: uuid.UUID, origin: str, ticket: str, customer: Values, **more: Any
    ) -> None:
        """Takes in what `hold` gave, unseen until the customer has left `origin`.

        `Conflict`: `already_here`, `email_taken`, `move_undone`.
        """
        row = self._row(customer_id, origin)
        if row.move_id == move_id and not row.arrival_ticket:
            if row.moved_to:
                raise _undone()
            return
        if row.anonymised_at or not row.moved_to:
            raise Conflict("This customer is here already.", code="already_here")
        if _is_over(row, move_id) or (row.arrival_ticket and row.move_id != move_id):
            raise _undone()
        row.move_id, row.moved_to, row.arrival_ticket, row.leave_ticket = move_id, origin, ticket, ""
        self._unpack(row, customer, more)

    @transaction.atomic
    def leave(self, *, customer_id: str, move_id: uuid.UUID) -> None:
        """The customer is elsewhere from now on, and nothing of them stays but where. `Conflict("move_undone")`."""
        row = found(self._locked(customer_id))
        if row.move_id == move_id and row.moved_to:
            return
        if row.move_id != move_id or not row.moving_to:
            raise _undone()
        row.moved_to, row.moving_to = row.moving_to, ""
        _strip(row)
        self.left(row)

    @transaction.atomic
    def settle(self, *, customer_id: str, move_id: uuid.UUID) -> None:
        """The customer is here for all to see. `Conflict("move_undone")`."""
        row = found(self._locked(customer_id))
        if row.move_id != move_id or (row.moved_to and not row.arrival_ticket):
            raise _undone()
        if row.arrival_ticket:
            row.moved_to = row.arrival_ticket = ""
            row.save()
            self.settled(row)

    @transaction.atomic
    def release(self, *, customer_id: str, move_id: uuid.UUID) -> None:
        """Undoes `hold`, even one that is still to come. `Conflict("has_left")` when it is too late to."""
        row = self._locked(customer_id)
        if row and row.moved_to and row.move_id == move_id:
            raise Conflict("This customer has left.", code="has_left")
        if row and not row.moved_to and (row.move_id == move_id or not (row.moving_to or _is_over(row, move_id))):
            row.move_id, row.moving_to, row.leave_ticket = move_id, "", ""
            row.save()

    @transaction.atomic
    def refuse(self, *, customer_id: str, move_id: uuid.UUID, origin: str) -> None:
        """Undoes `arrive`, even one that is still to come."""
        row = self._row(customer_id, origin)
        if row.moved_to and (row.move_id == move_id or not (row.arrival_ticket or _is_over(row, move_id))):
            row.move_id, row.arrival_ticket = move_id, ""
            _strip(row)
            self.refused(row)

    def left(self, customer: Any) -> None:
        """Within the transaction of `leave`."""

    def arrived(self, customer: Any, **more: Any) -> None:
        """Within the transaction of `arrive`; `more` is what the journal gave beside the customer."""

    def settled(self, customer: Any) -> None:
        """Within the transaction of `settle`."""

    def refused(self, customer: Any) -> None:
        """Within the transaction of `refuse`."""

    def _locked(self, customer_id: str) -> Any:
        return self.customers._default_manager.select_for_update().filter(pk=customer_id).first()

    def _row(self, customer_id: str, origin: str) -> Any:
        """The customer's row, made if need be, as that of somebody who is at `origin`."""
        self.customers._default_manager.get_or_create(pk=customer_id, defaults={"moved_to": origin})
        return self._locked(customer_id)

    def _unpack(self, row: Any, customer: Values, more: Values) -> None:
        for name, value in customer["profile"].items():
            if _has(row, name):
                setattr(row, name, row._meta.get_field(name).to_python(value))
        try:
            with transaction.atomic():
                self.arrived(row, **more)  # first, since the email may be another there
                row.save()
        except IntegrityError:
            raise Conflict("This email belongs to another account.", code="email_taken") from None
        for name in ROWS:
            if hasattr(row, name):
                _replace(getattr(row, name), row, customer["rows"].get(name, []))


def has_come(customer: Any, ticket: str) -> bool:
    """Whether this ticket shows that the customer has left for here; then they are settled, if they are not yet."""
    if not customer.arrival_ticket or not secrets.compare_digest(customer.arrival_ticket.encode(), ticket.encode()):
        return False
    moves: Moves = import_module(f"{settings.SERVICE.name}.moves").MOVES
    moves.settle(customer_id=customer.pk, move_id=customer.move_id)
    customer.refresh_from_db()
    return True


def packed(customer: Any) -> Values:
    """All that goes along with a customer, as JSON: `{profile: {…}, rows: {addresses: […], …}}`."""
    profile = {name: _value(customer, customer._meta.get_field(name)) for name in PROFILE if _has(customer, name)}
    tables = {name: getattr(customer, name) for name in ROWS if hasattr(customer, name)}
    rows = {name: [_row_values(row) for row in table.order_by("pk")] for name, table in tables.items()}
    return {"profile": profile, "rows": rows}


def _has(customer: Any, name: str) -> bool:
    return any(field.name == name for field in customer._meta.concrete_fields)


def _row_values(row: Model) -> Values:
    return {field.name: _value(row, field) for field in _own_fields(row)}


def _own_fields(row: Model | type[Model]) -> list[Any]:
    return [field for field in row._meta.concrete_fields if not field.primary_key and not field.is_relation]


def _value(row: Model, field: "Field[Any, Any]") -> Any:
    value = field.value_from_object(row)
    return value if value is None or isinstance(value, (bool, int, str, dict)) else field.value_to_string(row)


def _replace(manager: Any, customer: Any, rows: list[Values]) -> None:
    manager.all().delete()
    fields = {field.name: field for field in _own_fields(manager.model)}
    made = ({name: fields[name].to_python(value) for name, value in row.items() if name in fields} for row in rows)
    manager.model.objects.bulk_create(manager.model(customer=customer, **values) for values in made)


def _strip(row: Any) -> None:
    row.forget()
    for name in ROWS:
        if hasattr(row, name):
            getattr(row, name).all().delete()
    row.save()


def _is_over(row: Any, move_id: uuid.UUID) -> bool:
    return row.move_id is not None and bool(row.move_id > move_id)


def _undone() -> Conflict:
    return Conflict("This move has been undone, or another one has taken its place.", code="move_undone")
