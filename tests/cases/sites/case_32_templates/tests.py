"""Run by tests/cases/test_32_templates.py as `manage.py test`."""

from case_32_templates.views import Wizard
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from troupe.testing import LiveViewTestClient

PATH = "/case_32_templates/Wizard/"
FOLDER = "case_32_templates"


class Tools(TestCase):
    """Django's tools, on a page and on a view alone."""

    def test_templates_and_context_of_a_page(self):
        response = self.client.get(PATH)
        for name in ("page", "base", "none"):
            self.assertTemplateUsed(response, f"{FOLDER}/{name}.html")
        self.assertTemplateNotUsed(response, f"{FOLDER}/some.html")
        names = [each.name.split("/")[1] for each in response.templates]
        self.assertEqual(names, ["page.html", "base.html", "none.html"])
        self.assertEqual(response.context["n"], 0)
        self.assertEqual(response.context["users"], 0)
        self.assertIn("user", response.context)  # of a context processor

    def test_templates_of_a_view(self):
        view = LiveViewTestClient(Wizard)
        with self.assertTemplateUsed(f"{FOLDER}/none.html"):
            view.mount()
        with self.assertTemplateUsed(f"{FOLDER}/some.html"), self.assertTemplateNotUsed(f"{FOLDER}/none.html"):
            view.send_event("more")
        self.assertIn("some 1", view.html)

    def test_queries(self):
        with self.assertNumQueries(1):
            self.client.get(PATH)
        view = LiveViewTestClient(Wizard).mount()
        with CaptureQueriesContext(connection) as captured:
            view.send_event("more")
        self.assertEqual(len(captured), 2)
        with self.assertNumQueries(1):
            view.send_event("later")

    def test_an_exception_is_the_handlers_own(self):
        with self.assertRaisesMessage(LookupError, "not here"):
            LiveViewTestClient(Wizard).mount().send_event("fail")
