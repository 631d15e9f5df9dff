"""The admin, and what the page links to."""

from django.contrib import admin
from django.urls import path


def page(request, number=0):
    """Only its address is used."""


urlpatterns = [path("admin/", admin.site.urls), path("page/<int:number>/", page, name="page")]
