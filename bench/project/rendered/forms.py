"""A form whose fields are rendered one by one."""

from django import forms


class Contact(forms.Form):
    """A few fields of the usual kinds."""

    name = forms.CharField(max_length=80, help_text="As on the parcel.")
    email = forms.EmailField()
    topic = forms.ChoiceField(choices=[("a", "An order"), ("b", "A complaint"), ("c", "Something else")])
    text = forms.CharField(widget=forms.Textarea)
    copy = forms.BooleanField(required=False)
