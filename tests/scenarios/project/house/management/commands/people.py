"""people: ann and bob, who can log in."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """See the module."""

    def handle(self, **_):
        for name in ("ann", "bob"):
            get_user_model().objects.create_user(name)
