"""What HTML says of forms, buttons, links and editors, beside Troupe's events."""

from troupe import LiveView, event_handler


class Noted(LiveView):
    """Keeps what its handlers are called with."""

    template_name = "input_11_as_html_has_it/page.html"

    def mount(self, request):
        self.notes, self.n = [], 0

    @event_handler
    def note(self, **params):
        """Whatever comes."""
        shown = {name: value for name, value in params.items() if name not in ("_target", "field", "name", "code")}
        self.notes = [*self.notes, " ".join(f"{name}={value!r}" for name, value in sorted(shown.items()))]

    @event_handler
    def count(self):
        """Changes the page around a draft."""
        self.n += 1


class Rich(LiveView):
    """An editor whose markup is kept."""

    template_name = "input_11_as_html_has_it/rich.html"

    def mount(self, request):
        self.html, self.text, self.said, self.n = "<i>one</i>", "plain", [], 0

    @event_handler
    def edit(self, html):
        """As it is, which a real site would clean."""
        self.html = html

    @event_handler
    def write(self, value):
        """Its text alone."""
        self.text = value

    @event_handler
    def say(self, value):
        """A message."""
        self.said = [*self.said, value]

    @event_handler
    def underline(self):
        """The server's own change of what the user wrote."""
        self.html = self.html.replace("b>", "u>")

    @event_handler
    def count(self):
        """Changes the page around a draft."""
        self.n += 1


NAMES = (
    "attributes matches closest classList getAttribute hasAttribute localName ownerDocument querySelector "
    "parentElement contains getRootNode elements reset submit method action id name form type"
).split()
FORM = (
    '<form dj-submit="note" dj-change="note" dj-keydown="note">'
    '<input name="{0}"><button id="{0}">{0}</button></form>'
)


class Named(Noted):
    """Forms whose fields are called as members of elements are."""

    template_name = None
    template_string = (
        "<!doctype html><title>n</title><main dj-root>"
        + "".join(FORM.format(name) for name in NAMES)
        + "<ol>{% for each in notes %}<li>{{ each }}</li>{% endfor %}</ol></main>"
    )
