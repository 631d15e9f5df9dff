"""Something to write into the database."""

from django.db import models


class Row(models.Model):
    """A row with a text."""

    text = models.CharField(max_length=100)
