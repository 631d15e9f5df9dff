"""The project's URLs with troupe.urls in them."""

from cases import urls
from django.urls import include, path

urlpatterns = [path("live/", include("troupe.urls")), *urls.urlpatterns]
