"""What the admin's changelist lists."""

from django.db import models


class Order(models.Model):
    """A row with the kinds of columns that a changelist usually has."""

    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    placed = models.DateTimeField()
    paid = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=[("new", "New"), ("sent", "Sent"), ("back", "Back")])

    def __str__(self):
        return self.name
