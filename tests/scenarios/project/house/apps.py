"""The scenarios' one app."""

from django.apps import AppConfig


class HouseConfig(AppConfig):
    """See the module."""

    name = "house"
