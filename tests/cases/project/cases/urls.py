"""Each LiveView of a site at /SITE/NAME/; what its views.py calls `urlpatterns` is below /SITE/ as well, and first."""

import importlib

from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import include, path

from cases import settings
from troupe import LiveView


def ordinary(request):
    """A page without a live view."""
    return render(request, "ordinary.html")


def favicon(request):
    """Chromium asks for one, and complains on the console if it is not there."""
    return HttpResponse(status=204)


def pages(module):
    """The URL patterns of a site."""
    views = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, LiveView)]
    own = [view for view in views if view.__module__ == module.__name__]
    return [*getattr(module, "urlpatterns", ()), *(path(f"{view.__name__}/", view.as_view()) for view in own)]


urlpatterns = [
    path("favicon.ico", favicon),
    path("ordinary/", ordinary, name="ordinary"),
    path("accounts/login/", LoginView.as_view(template_name="login.html"), name="login"),
]
for name in [folder.name for folder in sorted(settings.SITES.iterdir()) if (folder / "views.py").exists()]:
    urlpatterns.append(path(f"{name}/", include(pages(importlib.import_module(f"{name}.views")))))
