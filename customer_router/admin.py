"""The journal in the Django admin, to look at."""

from django.contrib import admin

from customer_router.models import Move
from shopkit.admin import LookOnly, StaffAdmin


@admin.register(Move)
class MoveAdmin(LookOnly, StaffAdmin):
    list_display = ("customer_id", "origin", "target", "reason", "step", "outcome", "started_at", "ended_at")
    list_filter = ("outcome", "target", "started_at")
    search_fields = ("customer_id",)
