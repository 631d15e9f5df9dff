"""What cannot be kept, and what to do about it."""


from django.core.exceptions import ObjectDoesNotExist


class NotSerializable(TypeError):
    """No snapshot can hold this value."""


class RowGone(ObjectDoesNotExist):
    """A model instance was kept whose row is not there any more."""


def refusal(value: object, kind: str = "") -> NotSerializable:
    """For a value of a type that snapshots do not have. kind: what to call it."""
    return NotSerializable(f"a {kind or type(value).__name__} cannot be serialized{_advice(value)}")


def _advice(value: object) -> str:
    """What to do, behind a colon; empty where there is nothing in particular."""
    from django import forms
    from django.core.files.base import File
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    name = type(value).__name__
    if isinstance(value, (forms.BaseForm, forms.BaseFormSet)):
        return ": keep its data, and make it in restore(), or in get_context_data()"
    if isinstance(value, (forms.BoundField, forms.Field)):
        return ": it is its form's, which is to be made in restore(), or in get_context_data()"
    if isinstance(value, HttpRequest):
        return ": self.request is there in every turn"
    if isinstance(value, HttpResponseBase):
        return ": return it"
    if isinstance(value, File):
        return ": keep the model instance that has it, or its name"
    if hasattr(value, "__next__") or name in ("dict_keys", "dict_values", "dict_items"):
        return ": keep list() of it"
    if callable(value):
        return ": only functions and classes that can be imported by their names can"
    if type(value).__module__ not in ("builtins", "_thread", "threading"):
        return ": make its class a dataclass, keep what it is made of, or make it in restore()"
    return ""
