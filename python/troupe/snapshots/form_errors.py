"""The errors of forms and models: `form.errors`, and what full_clean() raised."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict, ErrorList

Parts = list[Any]


def pack_validation_error(error: ValidationError) -> Parts:
    """["ValidationError", message, code, parameters], or one list or dict of such errors."""
    if hasattr(error, "error_dict"):
        return ["ValidationError", error.error_dict]
    if hasattr(error, "message"):
        return ["ValidationError", error.message, error.code, error.params]
    return ["ValidationError", error.error_list]


def pack_error_list(errors: ErrorList) -> Parts:
    """["ErrorList", its CSS classes, its field's id, its elements]."""
    return ["ErrorList", errors.error_class, getattr(errors, "field_id", None), list(errors.data)]


def make_error_list(css: Any, field_id: Any, elements: Any) -> ErrorList:
    """It is rendered by the project's own form renderer."""
    made = ErrorList(elements)
    made.error_class = css
    if hasattr(made, "field_id"):
        made.field_id = field_id
    return made


def make_error_dict(_: None, *parts: Any) -> ErrorDict:
    """Of a field's name and its ErrorList, by turns."""
    made = ErrorDict()
    made.update(zip(parts[::2], parts[1::2], strict=True))
    return made
