"""Handlers in mixins are found, and a mixin's __init__ runs, on whichever side of LiveView it stands."""

import pytest


@pytest.mark.parametrize("name", ["Right", "Left"])
def test_the_handler_of_a_mixin_is_found(visitor, name):
    with visitor.open(f"/case_38_mixins/{name}/") as page:
        page.answer_to(page.post("next"))
        assert "<output>2</output>" in page.root()
