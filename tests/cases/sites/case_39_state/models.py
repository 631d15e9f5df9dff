"""Rows that pages keep."""

from django.db import models
from django.utils.translation import gettext_lazy


class Task(models.Model):
    """A thing to do."""

    class Status(models.TextChoices):
        """What became of it. Django translates these two."""

        OPEN = "open", gettext_lazy("Yes")
        DONE = "done", gettext_lazy("No")

    title = models.CharField(max_length=50)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
