"""The pages that are measured."""

from django.urls import path

from benched import static
from benched.tables import TableView
from benched.views import Light

urlpatterns = [
    path("light/", Light.as_view()),
    path("table/<int:count>/<str:keys>/", TableView.as_view()),
    path("static/troupe/<path:name>", static.module),
]
