"""What the pages list."""

from django.db import models
from wagtail.models import Page


class Order(models.Model):
    """A row with the kinds of columns that lists usually have."""

    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    placed = models.DateTimeField()
    paid = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=[("new", "New"), ("sent", "Sent"), ("back", "Back")])

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        """Of its page in the admin."""
        return f"/admin/packaged/order/{self.pk}/change/"


class Article(Page):
    """A page of Wagtail's."""
