"""The pages: what each of them shows in a state.

A state is a number: 0 as the page is loaded, 1 and 2 with one value changed, 3 with rows or parts that come and go.
`PAGES[name](request, state)` gives (the name of the template, its context). It changes the database first, so that any
process shows the same for a state.
"""

import datetime
import inspect

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.urls import resolve

from packaged.models import Article, Order

STATES = (0, 1, 2, 3)
ROWS = 50
WORDS = "amber birch cedar delta ember fjord grove heath islet jetty knoll larch maple north ocean pearl".split()
START = datetime.datetime(2020, 1, 31, 22, 5, tzinfo=datetime.UTC)


def fill():
    """An empty, migrated database gets its rows: orders, a user, pages of Wagtail, what the admin's index lists."""
    from django.contrib.admin.models import ADDITION, LogEntry
    from django.contrib.contenttypes.models import ContentType
    from wagtail.models import Collection, Locale, Page, Site

    for number in range(1, ROWS + 1):
        placed = START + datetime.timedelta(days=number, minutes=7 * number)
        state = ("new", "sent", "back")[number % 3]
        Order.objects.create(pk=number, name=_name(number), price=number, placed=placed, paid=number % 2, state=state)
    user = get_user_model().objects.create_superuser("ada", "ada@example.com", "secret")
    Locale.objects.create(language_code="en")
    Collection.add_root(name="Root")
    home = Page.add_root(instance=Page(title="Root", slug="root")).add_child(instance=Page(title="Home", slug="home"))
    Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)
    for number in range(1, 21):
        home.add_child(instance=Article(title=_name(number), slug=f"page-{number}", owner=user))
    Page.objects.update(latest_revision_created_at=START, first_published_at=START)
    for number in range(1, 11):
        about = {"content_type": ContentType.objects.get_for_model(Order), "object_id": str(number)}
        LogEntry.objects.create(user=user, action_flag=ADDITION, object_repr=_name(number), change_message="", **about)


def _name(number):
    return f"{WORDS[number % 16]} & {WORDS[number % 7]} {number}"


def _orders(state):
    """Puts the orders into a state."""
    Order.objects.filter(pk=7).update(name="fresh & new" if state == 1 else _name(7), price=99 if state == 2 else 7)
    fields = {"placed": START, "price": 1, "state": "new", "name": _name(ROWS + 1)}
    if state == 3:
        Order.objects.get_or_create(pk=ROWS + 1, defaults=fields)
    else:
        Order.objects.filter(pk=ROWS + 1).delete()
    return Order.objects.order_by("pk")


def _tables2(request, state):
    from django_tables2 import RequestConfig

    from packaged.tables import OrderTable

    table = OrderTable(_orders(state))
    RequestConfig(request, paginate={"per_page": 60}).configure(table)
    return "packaged/tables2.html", {"table": table}


def _crispy(request, state):
    from packaged.tables import OrderForm

    initial = {
        "name": "Ada" if state == 1 else "Eve",
        "topic": "b" if state == 2 else "a",
        "text": "None.",
        "copy": True,
    }
    form = OrderForm({"name": "Eve", "email": "nobody"} if state == 3 else None, initial=initial)
    return "packaged/crispy.html", {"form": form}


def _filter(request, state):
    from packaged.tables import OrderFilter

    return "packaged/filter.html", {"filter": OrderFilter(request.GET, queryset=_orders(state), request=request)}


def _components(request, state):
    return "packaged/components.html", {"orders": list(_orders(state)[:20] if state != 3 else _orders(state)[:21])}


def _allauth(request, state):
    from allauth.account.forms import LoginForm

    data = {"login": "ada", "password": ""} if state == 3 else None
    form = LoginForm(data, initial={"login": ("", "ada", "eve", "")[state]}, request=request)
    return "account/login.html", {"form": form, "signup_url": "/accounts/signup/", "redirect_field": ""}


def _changelist(request, state):
    _orders(state)
    response = admin.site._registry[Order].changelist_view(request)
    return "admin/change_list.html", response.context_data


def _index(request, state):
    from django.contrib.admin.models import LogEntry

    for number in (7, 8):
        LogEntry.objects.filter(object_id=str(number)).update(
            object_repr="changed & new" if state == number - 6 else _name(number),
            action_flag=3 if state == 3 else 1,
        )
    return "admin/index.html", admin.site.index(request).context_data


def _wagtail(request, state):
    from wagtail.models import Page

    home = Page.objects.get(depth=2)
    children = list(home.get_children().order_by("path")[:2])
    title = "A new & better title" if state == 1 else _name(1)
    Page.objects.filter(pk=children[0].pk).update(draft_title=title, title=title)
    Page.objects.filter(pk=children[1].pk).update(latest_revision_created_at=None if state == 2 else START)
    Page.objects.filter(pk=children[1].pk).update(live=state != 3)
    match = resolve(f"/cms/pages/{home.pk}/")
    response = inspect.unwrap(match.func)(request, **match.kwargs)  # without what would render it at once
    return response.template_name[0], response.context_data


PAGES = {
    "tables2": _tables2,
    "crispy": _crispy,
    "filter": _filter,
    "allauth": _allauth,
    "wagtail": _wagtail,
    "changelist": _changelist,
    "index": _index,
    "components": _components,
}
