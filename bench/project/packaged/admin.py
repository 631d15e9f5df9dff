"""A changelist as sites have it."""

from django.contrib import admin

from packaged.models import Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """Columns, filters, a search box, actions."""

    list_display = ["name", "price", "placed", "paid", "state"]
    list_filter = ["paid", "state"]
    search_fields = ["name"]
    ordering = ["pk"]
