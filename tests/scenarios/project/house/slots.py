"""Live views whose pages have many slots, and parts that not everybody may see."""

from troupe import LiveView, event_handler


class Ledger(LiveView):
    """A table of a thousand rows."""

    template_string = (
        '<main dj-root><table><tbody>{% for row in rows %}<tr dj-key="{{ row.id }}"><td>{{ row.count }}</td>'
        "<td>{{ row.name }}</td></tr>{% endfor %}</tbody></table></main>"
    )

    def mount(self, request):
        self.rows = [{"id": number, "name": f"Item {number}", "count": 0} for number in range(1, 1001)]

    @event_handler
    def count(self, row):
        """One cell changes."""
        self.rows[row - 1]["count"] += 1

    @event_handler
    def swap(self):
        """Two rows change places."""
        rows = self.rows
        rows[1], rows[998] = rows[998], rows[1]

    @event_handler
    def remove_first(self):
        """A row goes."""
        del self.rows[0]

    @event_handler
    def nothing(self):
        """Nothing changes."""


class Vault(LiveView):
    """A part that is shown to those who know the word."""

    template_string = (
        "<main dj-root><p>{{ tries }} tries</p>{% if open %}<section><h2>Behind the door</h2>{{ content }}</section>"
        "{% endif %}{% if broken %}{{ broken.part }}{% endif %}</main>"
    )

    def mount(self, request):
        self.tries, self.open, self.content, self.broken = 0, False, "gold", None

    @event_handler
    def say(self, word):
        """One try."""
        self.tries += 1
        self.open = word == "sesame"

    @event_handler
    def fill(self, content):
        """What lies in it."""
        self.content = content

    @event_handler
    def shatter(self, whole=False):
        """The template fails from now on, or no longer."""
        self.tries += 1
        self.broken = None if whole else Splinter()


class Splinter:
    """Fails when it is looked at."""

    @property
    def part(self):
        raise ValueError("in splinters")
