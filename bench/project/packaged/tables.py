"""The table of django-tables2, the filter set of django-filter, and the form of crispy-forms."""

import django_filters
import django_tables2 as tables
from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Fieldset, Layout, Row, Submit
from django import forms

from packaged.models import Order


class OrderTable(tables.Table):
    """Columns of several kinds, one with a template."""

    name = tables.Column(linkify=True)
    paid = tables.BooleanColumn()
    actions = tables.TemplateColumn('<a class="btn" href="/orders/{{ record.pk }}/edit/">Edit {{ record.name }}</a>')

    class Meta:
        model = Order
        fields = ("id", "name", "price", "placed", "paid", "state")
        attrs = {"class": "table table-striped"}
        row_attrs = {"data-id": lambda record: record.pk}


class OrderFilter(django_filters.FilterSet):
    """Filters of several kinds."""

    name = django_filters.CharFilter(lookup_expr="icontains")
    price = django_filters.RangeFilter()

    class Meta:
        model = Order
        fields = ["name", "price", "paid", "state"]


class OrderForm(forms.Form):
    """A form with a layout."""

    name = forms.CharField(max_length=80, help_text="As on the parcel.")
    email = forms.EmailField()
    topic = forms.ChoiceField(choices=[("a", "An order"), ("b", "A complaint"), ("c", "Something else")])
    placed = forms.DateField(required=False)
    text = forms.CharField(widget=forms.Textarea)
    way = forms.ChoiceField(widget=forms.RadioSelect, choices=[("mail", "By mail"), ("van", "By van")])
    copy = forms.BooleanField(required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.layout = Layout(
            Fieldset(
                "An order",
                Row(Column("name", css_class="col-6"), Column("email", css_class="col-6")),
                Row(Column("topic"), Column("placed")),
                "text",
                "way",
                "copy",
            ),
            Submit("send", "Send"),
        )
