"""What bench/render.py renders. PLAIN needs no request and no database, so djust's side renders it as well."""

from rendered import data

# name: (template, context)
PLAIN = {
    "table1000": ("rendered/table.html", data.table(1000)),
    "objects1000": ("rendered/table.html", data.objects(1000)),
    "table100": ("rendered/table.html", data.table(100)),
    "page": ("rendered/page.html", data.page()),
    "page_no_dates": ("rendered/plain.html", data.page()),
    "counter": ("rendered/counter.html", {"count": 1}),
}


def more():
    """{name: (templates to choose from, context, request)} of what needs Django's apps. Call it after migrate."""
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.contrib.sessions.backends.signed_cookies import SessionStore
    from django.test import RequestFactory

    from rendered.forms import Contact
    from rendered.models import Order

    for number in range(100):
        row = data.row(number)
        placed = data.page()["articles"][number % 50]["date"]
        state = ("new", "sent", "back")[number % 3]
        price = f"{row['price']:.2f}"
        Order.objects.create(name=row["name"], price=price, placed=placed, paid=row["active"], state=state)
    request = RequestFactory().get("/admin/rendered/order/")
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    request.user = User.objects.create_superuser("ada", "ada@example.com", "secret")
    answer = admin.site._registry[Order].changelist_view(request)
    return {
        "changelist": (answer.template_name, answer.context_data, request),
        "form": (["rendered/form.html"], {"form": Contact({"name": "ada", "email": "nobody"})}, None),
        "translated": (["rendered/translated.html"], data.page(), None),
    }
