"""The cases' URLs, with a page of the site's own for status 500."""

from cases.urls import urlpatterns  # noqa: F401

handler500 = "case_22_errors.views.sorry"
