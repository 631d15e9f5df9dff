"""The page that is measured."""

from benched_djust.views import Light
from django.urls import path

urlpatterns = [path("light/", Light.as_view())]
