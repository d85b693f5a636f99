"""Payments in the Django admin, to look at; they change through the API, which keeps to the state graph."""

from django.contrib import admin

from paying_service.models import Payment, Refund
from shopkit.admin import LookOnly, StaffAdmin


@admin.register(Payment)
class PaymentAdmin(LookOnly, StaffAdmin):
    list_display = ["id", "order_id", "customer_id", "provider", "method", "amount", "currency", "status", "created_at"]
    list_filter = ["status", "provider", "method", "created_at"]
    search_fields = ["id", "order_id", "customer_id"]


@admin.register(Refund)
class RefundAdmin(LookOnly, StaffAdmin):
    list_display = ["id", "payment", "amount", "done", "failure", "created_at"]
    list_filter = [("failure", admin.EmptyFieldListFilter), "done", "created_at"]
    search_fields = ["id", "payment__id", "payment__order_id"]
