"""The pages, and what they link to."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls

from packaged.views import PackagePage, stock_page

urlpatterns = [
    path("pages/<str:name>/", stock_page if settings.STOCK else PackagePage.as_view(), name="page"),
    path("admin/", admin.site.urls),
    path("cms/", include(wagtailadmin_urls)),
    path("accounts/", include("allauth.urls")),
]
if settings.WITH_COMPONENTS:
    urlpatterns.append(path("components/", include("django_components.urls")))
