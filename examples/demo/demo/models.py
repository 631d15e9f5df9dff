"""What the demo stores: the entries of the guest book."""

from django.core.validators import MinLengthValidator
from django.db import models


class Entry(models.Model):
    """A line that somebody left."""

    name = models.CharField(max_length=40)
    text = models.CharField(max_length=200, validators=[MinLengthValidator(5)])
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.name}: {self.text}"
