"""One URL, for the project's URLconf:

    path("troupe/", include("troupe.urls"))

Pages exchange tickets for cookies there (proto/PROTOCOL.md 9.7). Without it they ask their own URL, which does as long
as that is a LiveView's, and nobody is sent elsewhere by a decorator around as_view() or by LoginRequiredMiddleware.
"""

from django.urls import path

from .web.page import cookies_view

urlpatterns = [path("cookies/", cookies_view, name="troupe-cookies")]
