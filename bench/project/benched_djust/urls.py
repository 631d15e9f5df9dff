"""The page that is measured."""

from django.urls import path

from benched_djust.views import Light

urlpatterns = [path("light/", Light.as_view())]
