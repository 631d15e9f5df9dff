"""Where each page of the demo is."""

from django.urls import path
from django.views.generic import TemplateView

from demo import views

urlpatterns = [
    path("", TemplateView.as_view(template_name="index.html"), name="index"),
    path("counter/", views.Counter.as_view(), name="counter"),
    path("todo/", views.Todo.as_view(), name="todo"),
    path("table/", views.Table.as_view(), name="table"),
    path("seed/", TemplateView.as_view(template_name="seed.html"), name="seed"),
    path("twice/", TemplateView.as_view(template_name="twice.html"), name="twice"),
    path("guestbook/", views.GuestBook.as_view(), name="guestbook"),
    path("survive/", views.Survive.as_view(), name="survive"),
    path("clock/", views.Clock.as_view(), name="clock"),
    path("burn/", views.Burn.as_view(), name="burn"),
    path("sleep/", views.Sleep.as_view(), name="sleep"),
]
