"""Checkboxes and multiple selects: as many as are ticked, it is the same form."""

from django import forms
from django.http import QueryDict

from troupe import LiveView, event_handler

TOPPINGS = [("ham", "Ham"), ("corn", "Corn")]


class PizzaForm(forms.Form):
    """Fields that read several values, or one of several controls."""

    toppings = forms.MultipleChoiceField(choices=TOPPINGS, widget=forms.CheckboxSelectMultiple)
    extra = forms.MultipleChoiceField(choices=[("oil", "Oil")], widget=forms.CheckboxSelectMultiple(), required=False)
    sizes = forms.MultipleChoiceField(choices=[("s", "S"), ("l", "L")], required=False)
    agree = forms.BooleanField(required=False)


class Pizza(LiveView):
    """Validates the form from **fields, from a QueryDict, and by hints."""

    template_name = "case_10_forms/page.html"

    def mount(self, request):
        self.got = ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(form=PizzaForm(), **kwargs)

    @event_handler
    def save(self, **params):
        """The first form."""
        form = PizzaForm(params)
        self.got = f"{form.errors.as_json() if form.errors else form.cleaned_data}"

    @event_handler
    def as_post(self, data: QueryDict):
        """The second form."""
        form = PizzaForm(data)
        self.got = f"{data.getlist('toppings')} {form.errors.as_json() if form.errors else form.cleaned_data}"

    @event_handler
    def hinted(self, toppings: list[str], agree: bool = True):
        """The third form."""
        self.got = f"{toppings} {agree}"
