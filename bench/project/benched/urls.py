"""The pages that are measured."""

from benched.views import Light
from django.urls import path

urlpatterns = [path("light/", Light.as_view())]
