"""Django's FormMixin in a live view: the form that a handler has bound is the one that is shown."""

import pytest
from django import forms
from django.urls import path
from django.views.generic.edit import FormMixin
from live_pages import LivePage

from troupe import LiveView, event_handler

pytestmark = [pytest.mark.asyncio, pytest.mark.urls(__name__), pytest.mark.django_db(transaction=True)]


class NameForm(forms.Form):
    name = forms.CharField(max_length=3, error_messages={"max_length": "too long"})


class Page(FormMixin, LiveView):
    template_string = "<main dj-root>{{ form.name }}{{ form.name.errors }}</main>"
    form_class = NameForm
    initial = {"name": "ann"}

    @event_handler
    def save(self, **fields):
        self.form = NameForm(fields)


urlpatterns = [path("page/", Page.as_view())]


async def test_errors_are_shown():
    async with LivePage("/page/") as page:
        assert 'value="ann"' in page.response.content.decode()
        await page.event("save", name="anna")
        html = await page.html()
        assert "too long" in html
        assert 'value="anna"' in html
