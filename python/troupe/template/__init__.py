"""Templates that Django parses and C executes.

lowering.py: what C executes; backend.py: for TEMPLATES in settings; plan.py: a live page's slots.
"""


def __getattr__(name: str) -> object:
    # Not imported at once: Django's own modules must be ready first.
    if name in ("FormRenderer", "TroupeEngine", "TroupeTemplates"):
        from . import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
