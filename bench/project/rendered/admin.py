"""The changelist that is rendered."""

from django.contrib import admin

from rendered.models import Order


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    """A usual one: columns, filters, a search box, actions."""

    list_display = ["name", "price", "placed", "paid", "state"]
    list_filter = ["paid", "state"]
    search_fields = ["name"]
