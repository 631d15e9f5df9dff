"""The same engine under a path after which Django itself names it "django": for a project without troupe in
INSTALLED_APPS (with it, naming.py does so).
"""

from .backend import FormRenderer, TroupeEngine, TroupeTemplates

__all__ = ["FormRenderer", "TroupeEngine", "TroupeTemplates"]
