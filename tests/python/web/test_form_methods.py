"""Which forms of a page's first HTML get a method."""

import pytest

from troupe.web.form_methods import with_methods

GIVEN = b'<form method="post" dj-submit="s">'


@pytest.mark.parametrize(
    "html, expected",
    [
        (b'<form dj-submit="s">', GIVEN),
        (b'<form\n class="a>b" dj-submit=s>', b'<form method="post"\n class="a>b" dj-submit=s>'),
        (b'<FORM dj-submit="s">', b'<FORM method="post" dj-submit="s">'),
        (b'<p><form dj-submit="s"></form><form dj-submit="s">', b"<p>" + GIVEN + b"</form>" + GIVEN),
        (b'<form><button dj-click="go">', b'<form method="post"><button dj-click="go">'),
        (b"<form id=a><p><input type=submit dj-click>", b'<form method="post" id=a><p><input type=submit dj-click>'),
    ],
)
def test_a_form_that_the_script_sends_is_posted_until_then(html, expected):
    assert with_methods(html) == expected
    assert with_methods(expected) == expected


@pytest.mark.parametrize(
    "html",
    [
        b'<form method="get" dj-submit="s">',
        b"<form METHOD=dialog dj-submit=s>",
        b"<form action='/search/'><input name=q></form><button dj-click=go>",
        b"<form class='dj-submit'><p dj-click=go></form><p dj-submit>",
        b"<script>'<form dj-submit=s>'</script><style><form dj-submit></style>",
        b"<!-- <form dj-submit=s> --><textarea><form dj-submit=s></textarea>",
        b"<formula dj-submit=s>",
        b"<!-- <form dj-submit=s>",
    ],
)
def test_others_are_as_they_are(html):
    assert with_methods(html) == html
