"""The name of Troupe's engine in TEMPLATES: "django", as that of Django's own, which other packages ask for by it.

Django names an engine without "NAME" after its module, and `troupe.template.TroupeTemplates` would be "template". But
`engines["django"]` is what Django REST framework and others use, and packages that change TEMPLATES look for that name.
"""

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed

BACKENDS = frozenset({"troupe.template.TroupeTemplates", "troupe.template.backend.TroupeTemplates"})
NAME = "django"


def name_engine(**_: Any) -> None:
    """Names the engine of Troupe's in TEMPLATES, unless it has a name, or another engine this one."""
    entries = [entry for entry in settings.TEMPLATES if isinstance(entry, dict)]
    unnamed = [entry for entry in entries if entry.get("BACKEND") in BACKENDS and not entry.get("NAME")]
    if len(unnamed) == 1 and not any(_name_of(entry) == NAME for entry in entries if entry is not unnamed[0]):
        unnamed[0]["NAME"] = NAME


def _name_of(entry: dict[str, Any]) -> Any:
    return entry.get("NAME") or str(entry.get("BACKEND", "")).rpartition(".")[0].rpartition(".")[2]


def _changed(*, setting: str, **_: Any) -> None:
    if setting == "TEMPLATES":
        name_engine()


def connect() -> None:
    """Names it, now and when a test overrides TEMPLATES. To be called before any app is ready."""
    name_engine()
    setting_changed.connect(_changed, dispatch_uid="troupe.template.naming")
