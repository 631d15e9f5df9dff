"""What {% url %} finds."""

from django.http import HttpResponse
from django.urls import re_path

urlpatterns = [re_path(r"^item/(?P<n>.*)$", lambda request, n: HttpResponse(n), name="item")]
