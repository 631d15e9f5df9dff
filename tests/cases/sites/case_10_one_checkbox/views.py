"""A group of checkboxes is a list, however many are ticked."""

from django import forms

from troupe import LiveView, event_handler


class PizzaForm(forms.Form):
    """Checkboxes, a multiple select, a lone box, and fields of one name."""

    toppings = forms.MultipleChoiceField(
        choices=[("ham", "Ham"), ("corn", "Corn")], widget=forms.CheckboxSelectMultiple, required=False
    )
    sauces = forms.MultipleChoiceField(choices=[("hot", "Hot"), ("mild", "Mild")], required=False)
    only = forms.MultipleChoiceField(choices=[("one", "One")], widget=forms.CheckboxSelectMultiple, required=False)
    agree = forms.BooleanField(required=False)


class Pizza(LiveView):
    """Binds a form to what it gets, as Django's own views do."""

    template_name = "case_10_one_checkbox/page.html"

    def mount(self, request):
        self.got = ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(form=PizzaForm(), **kwargs)

    @event_handler
    def save(self, **params):
        form = PizzaForm(params)
        self.got = repr(dict(sorted(form.cleaned_data.items()))) if form.is_valid() else form.errors.as_json()
