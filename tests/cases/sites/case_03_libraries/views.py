"""A live page with a library's widget in it. Which one is in the address."""

from django.http import HttpResponse
from django.urls import path
from django.utils.safestring import mark_safe

from troupe import LiveView, event_handler

# name: (scripts, style sheets, what sets it up). Its markup: NAME.html
WIDGETS = {
    "select2": (
        ("jquery/dist/jquery.js", "select2/dist/js/select2.full.js"),
        ("select2/dist/css/select2.css",),
        "$('#w').select2().on('select2:select', () => w.dispatchEvent(new Event('change', { bubbles: true })))",
    ),
    "tom-select": (
        ("tom-select/dist/js/tom-select.complete.js",),
        ("tom-select/dist/css/tom-select.css",),
        "new TomSelect('#w')",
    ),
    "flatpickr": (
        ("flatpickr/dist/flatpickr.js",),
        ("flatpickr/dist/flatpickr.css",),
        "flatpickr('#w', { altInput: true, altFormat: 'j.n.Y' })",
    ),
    "alpine": (
        (),
        (),
        "document.head.append(Object.assign(document.createElement('script'), { src: "
        "'/static/npm/alpinejs/dist/cdn.js' }))",
    ),
    "chart": (
        ("chart.js/dist/chart.umd.js",),
        (),
        "new Chart('w', { type: 'bar', data: { labels: ['a'], datasets: [{ data: [1] }] }, options: { "
        "animation: false } })",
    ),
    "tinymce": (("tinymce/tinymce.js",), (), "tinymce.init({ selector: '#w', license_key: 'gpl', promotion: false })"),
    "htmx": (("htmx.org/dist/htmx.js",), (), ""),
    "turbo": (("@hotwired/turbo/dist/turbo.es2017-umd.js",), (), ""),
    "by hand": (
        (),
        (),
        "w.after(Object.assign(document.createElement('div'), { id: 'icon' }));const box = "
        "document.createElement('div'); box.id = 'box'; w.parentNode.replaceChild(box, "
        "w.nextSibling.nextSibling);document.querySelector('main, "
        "body').prepend(Object.assign(document.createElement('h1'), { id: 'banner' "
        "}));document.querySelector('main, "
        "body').append(Object.assign(document.createElement('button'), { id: 'last' }))",
    ),
}


class Page(LiveView):
    """What surrounds the widget changes."""

    template_name = "case_03_libraries/page.html"
    body = False

    def mount(self, request):
        self.name = request.GET["widget"]
        self.n, self.odd, self.got, self.rows, self.html = 0, "", "", [1, 2], ""

    def get_context_data(self, **kwargs):
        scripts, styles, setup = WIDGETS[self.name]
        return super().get_context_data(
            scripts=[f"npm/{each}" for each in scripts],
            styles=[f"npm/{each}" for each in styles],
            widget=f"case_03_libraries/{self.name.replace(' ', '_')}.html",
            setup=mark_safe(setup),
            html=mark_safe(self.html),
            odd=mark_safe(self.odd),
            **kwargs,
        )

    @event_handler
    def inc(self):
        self.n += 1
        self.odd = ""
        self.rows = [*self.rows[1:], self.rows[0], self.n + 2]
        self.html = f"<h1>{self.n}</h1><p>{self.n}</p>"

    @event_handler
    def whole(self):
        """Markup that is not balanced takes the whole root."""
        self.inc()
        self.odd = "</i><u>"

    @event_handler
    def pick(self, value):
        self.got = value


class Whole(Page):
    """The same, with <body> as the root."""

    body = True


urlpatterns = [path("part/", lambda request: HttpResponse("<turbo-frame id=w><h1 class=part>part</h1></turbo-frame>"))]
