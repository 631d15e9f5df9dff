"""Items are in the default database, notes in the second one."""

from django.db import models


class Item(models.Model):
    """Something to count."""

    name = models.CharField(max_length=50, unique=True)
    count = models.IntegerField(default=0)


class Note(models.Model):
    """A text in the other database."""

    text = models.CharField(max_length=50)


class Router:
    """Where models are."""

    def _database(self, model):
        return "second" if model._meta.model_name == "note" else None

    def db_for_read(self, model, **hints):
        return self._database(model)

    def db_for_write(self, model, **hints):
        return self._database(model)

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return (db == "second") == (model_name == "note")
