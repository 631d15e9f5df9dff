"""Templates that Django parses and C executes.

From a template to a plan, in order:

    lowering.py         Django's nodes become ops, plain tuples (ir.py has their grammar)
    effects.py          what an op reads, whether it is pure, which names it sets
    inlining.py         extends, block and include are put in place: one page of nodes (nodes.py)
    dependencies.py     the mask of what each node depends on
    html_tokenizer.py, html_elements.py, open_elements.py, regions.py
                        what an HTML parser makes of the static markup around the values
    block_builder.py, block_items.py, text_run.py, block_chunk.py
                        a block: its slots, and its markup for the browser
    implied_ends.py     tags that an author left out, where a block needs them
    plan.py             compile_page(): the plan of a page; explain.py puts it into words

native.py has the classes whose render() is C, slow_path.py what C calls back for, backend.py the entry in TEMPLATES.
"""


def __getattr__(name: str) -> object:
    # Imported late: Django's own modules must be ready first.
    if name in ("FormRenderer", "TroupeEngine", "TroupeTemplates"):
        from . import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
