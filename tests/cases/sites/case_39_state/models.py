"""Rows that pages keep."""

import os

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


OLD_CODE = "CASE_39_DEPLOYED" not in os.environ


class Project(models.Model):
    """A deploy takes its owner away; another migration will take the column."""

    title = models.CharField(max_length=50)
    if OLD_CODE:
        owner = models.CharField(max_length=50, default="ann")


class Removed(models.Model):
    """A deploy removes it."""

    title = models.CharField(max_length=50)

    if not OLD_CODE:

        class Meta:
            abstract = True
