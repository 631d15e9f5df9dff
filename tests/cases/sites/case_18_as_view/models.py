"""A table to count."""

from django.db import models


class Todo(models.Model):
    """A thing to do."""

    class Status(models.TextChoices):
        """What became of it."""

        OPEN = "open", "still to do"
        DONE = "done", "done at last"

    title = models.CharField(max_length=50)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
