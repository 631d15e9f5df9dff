"""Makes every template of Django's tests go through troupe.template."""

import os

import gate_renders


def install():
    """Puts our backend and engine where Django's are named, and lowers every template that is parsed, whoever
    parses it. Call it once, before test modules are imported.
    """
    import troupe

    if "TROUPE_PACKAGE" in os.environ:  # another copy of the package
        troupe.__path__[:] = [os.path.join(os.environ["TROUPE_PACKAGE"], "troupe")]
    if "TROUPE_BUILD" in os.environ:  # another build directory's extension module, as for the benches
        troupe.__path__.insert(0, os.path.join(os.environ["TROUPE_BUILD"], "worker", "py"))
    import django.forms.renderers
    import django.template
    import django.template.backends.django
    import django.template.engine
    from django.template.base import Template

    from troupe._native import figures
    from troupe.template.backend import TroupeEngine, TroupeTemplates
    from troupe.template.native import make_native

    parse = Template.__init__

    def parse_and_lower(self, *args, **kwargs):
        parse(self, *args, **kwargs)
        make_native(self)

    Template.__init__ = parse_and_lower
    django.template.Engine = django.template.engine.Engine = TroupeEngine
    django.template.backends.django.DjangoTemplates = TroupeTemplates
    django.template.backends.django.Engine = TroupeEngine
    django.forms.renderers.DjangoTemplates.backend = TroupeTemplates
    gate_renders.measure(figures)
