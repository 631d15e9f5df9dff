"""The pages that are measured."""

from django.urls import path

from benched.views import Light

urlpatterns = [path("light/", Light.as_view())]
