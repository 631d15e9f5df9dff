"""Markup without the end tags that an author may leave out, and elements whose content is no part of the document."""

from grammar import Grammar

GAPS = ("", "", "", "\n", "\n  ", " ", "\n")


class LooseMarkup(Grammar):
    """Pieces for markup.Markup, which has what is used here beside them."""

    def gap(self, gaps=GAPS):
        """White space between tags."""
        return self.one(*gaps)

    def item(self, name, scope, row, inside):
        """An element, mostly without its end tag."""
        key = self.key(row) if row else ""
        return (f"<{name}{key}", self.attributes(scope, 1), ">", inside, f"</{name}>" if self.chance(0.25) else "")

    def items(self, scope, make, most=3, gaps=GAPS):
        """make(scope, row) a few times: as they are, in loops and in conditions."""
        found = [self.gap(gaps)]
        for _ in range(self.rng.randrange(1, most + 1)):
            pick = self.rng.random()
            if pick < 0.4:
                found.append(self.for_(scope, lambda inner, row: [self.gap(gaps), make(inner, row), self.gap(gaps)]))
            elif pick < 0.6:
                found.append(self.if_(scope, lambda inner: [self.gap(gaps), make(inner, None), self.gap(gaps)]))
            else:
                found.append(make(scope, None))
            found.append(self.gap(gaps))
        return found

    def p_loose(self, scope, depth):
        """A list, a table, a select, paragraphs."""
        return getattr(self, "loose_" + self.one("list", "list", "dl", "table", "table", "select", "p", "ruby"))(
            scope, depth
        )

    def loose_list(self, scope, depth):
        """<ul>"""

        def item(inner, row):
            nested = [self.loose_list(inner, depth + 1)] if depth < 3 and self.chance(0.15) else []
            return self.item("li", inner, row, [*self.some(self.run, inner, 2), *nested])

        return ("<ul>", self.items(scope, item), "</ul>")

    def loose_dl(self, scope, depth):
        """<dl>"""

        def pair(inner, row):
            dt, dd = (self.item(name, inner, row, self.some(self.run, inner, 1)) for name in ("dt", "dd"))
            return ("", [dt, dd], "")

        return ("<dl>", self.items(scope, pair, 2), "</dl>")

    def loose_p(self, scope, depth):
        """<p>"""
        end = self.one("", "<ul></ul>", "<div>{{ a }}</div>", "</p>")

        def paragraph(inner, row):
            return self.item("p", inner, row, self.some(self.run, inner, 2))

        return (
            "<div>",
            [*self.items(scope, paragraph, gaps=("",)), end],
            "</div>",
        )

    def loose_select(self, scope, depth):
        """<select>"""
        scope = scope.more(markup=False)

        def option(inner, row):
            return self.item("option", inner, row, self.some(self.run, inner, 1))

        def group(inner, row):
            return ("<optgroup label='g'>", self.items(inner, option, 2), self.one("", "</optgroup>"))

        return ("<select>", self.items(scope, group if self.chance(0.2) else option), "</select>")

    def loose_ruby(self, scope, depth):
        """<ruby>"""
        return ("<ruby>a", self.items(scope, lambda i, row: ("<rt>", self.some(self.run, i, 1), "")), "</ruby>")

    def loose_table(self, scope, depth):
        """<table>"""

        def cell(inner, row):
            return self.item(self.one("td", "td", "th"), inner, None, self.some(self.run, inner, 1))

        def tr(inner, row):
            return self.item("tr", inner, row, self.items(inner, cell, 2))

        def section(inner, row):
            return self.item("tbody", inner, None, self.items(inner, tr, 2))

        cols = self.one("", "", "<col>", "<col class='{{ a }}'><col>", "<colgroup><col>", "<caption>{{ a }}")
        return ("<table>", [self.gap(), cols, *self.items(scope, section if self.chance(0.25) else tr)], "</table>")

    def p_noscript(self, scope, depth):
        """<noscript>"""
        inside = self.one(
            "<b>{{ a }}</b>", "{% trans 'Yes' %}", "<img src='x?a={{ n }}&b=1'>", "no script", "<p>{{ b }}</p>"
        )
        return f"<noscript>{inside}</noscript>"

    def p_template(self, scope, depth):
        """<template>"""
        inside = self.one(
            self.flow(scope, depth), ["<tr><td>{{ a }}</td></tr>"], ["{% trans 'Yes' %}"], ["<li>{{ n }}<li>{{ m }}"]
        )
        return ("<template", self.attributes(scope, 1), ">", inside, "</template>")
