"""Which module of the Python package may import which: the rooms' arrows, and no circle.

Read off the import statements, those inside functions too. `if TYPE_CHECKING:` counts: a type is a dependency. Not
counted: that importing a module runs its packages' __init__.py.
"""

import ast
import pathlib

import check_tree

PACKAGE = pathlib.PurePosixPath("python/troupe")
# Modules at the top that the rooms share, and that import no room.
SHARED = {"_limits", "access", "access_names", "admission", "conf", "context", "errors", "hooks", "logs", "project"}
SHARED |= {"programs", "session_engine", "state_directory", "tickets", "validation", "wire"}
# A room: what its modules may import besides their own room and SHARED.
MAY = {
    "web": {"snapshots"},
    "runtime": {"snapshots", "template", "views"},
    "snapshots": set(),
    "template": set(),
    "management": {"template"},
    "templatetags": {"web"},
}
# Only these modules, wherever they import it from, may use the extension module.
EXTENSION = "_native"
USES_EXTENSION = {"web.transport.inproc", "template.native"}


def module_of(path):
    """The dotted name below the package of a file, and whether it is a package's __init__.py."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def imports(tree, module, is_package):
    """(line, dotted name below the package) of each import of the package's own; a name may be a module's or one that a
    module defines. "" is the package itself.
    """
    here = module.split(".") if module else []
    package = here if is_package else here[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "troupe" or alias.name.startswith("troupe."):
                    yield node.lineno, alias.name[len("troupe.") :]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - (node.level - 1)]
            elif node.module and node.module.split(".")[0] == "troupe":
                base = []
            else:
                continue
            named = (node.module or "").split(".") if node.module else []
            if not node.level:
                named = named[1:]
            for alias in node.names:
                yield node.lineno, ".".join([*base, *named, alias.name])


def resolve(name, modules):
    """The module that an imported name is or belongs to. None: a module that does not exist."""
    while name and name not in modules:
        if name == EXTENSION:
            return EXTENSION
        name = name.rpartition(".")[0]
    return name if name in modules else None


def room_of(module):
    """A module's room; of one at the top, its own name."""
    return module.partition(".")[0]


def problem_with(module, target):
    """Why this module may not import that one; None if it may."""
    if target == EXTENSION:
        return None if module in USES_EXTENSION else f"{module} may not use {EXTENSION}"
    room, wanted = room_of(module), room_of(target)
    if room == wanted or wanted in SHARED:
        return None
    if room in MAY:
        return None if wanted in MAY[room] else f"{room} may not use {wanted or 'the package itself'} ({target})"
    if module in SHARED:
        return f"{module} is shared by the rooms and may not use {target or 'the package itself'}"
    return None


def circles(graph):
    """Lists of modules that import each other, directly or through others."""
    index, low, stack, found = {}, {}, [], []

    def visit(module):
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(graph.get(module, ())):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            circle = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(circle) > 1:
                found.append(sorted(circle))

    for module in sorted(graph):
        if module not in index:
            visit(module)
    return found


def check(root):
    """Returns the problems as lines "path:line: what"."""
    paths = [path for path in check_tree.with_suffix(root, ".py") if PACKAGE in path.parents]
    modules = {module_of(path)[0] for path in paths}
    problems, graph = [], {}
    for path in paths:
        module, is_package = module_of(path)
        graph[module] = set()
        for line, name in imports(ast.parse(check_tree.text(root, path)), module, is_package):
            target = resolve(name, modules)
            if target is None:
                problems.append(f"{path}:{line}: there is no module {name}")
                continue
            problem = problem_with(module, target)
            if problem:
                problems.append(f"{path}:{line}: {problem}")
            if target not in (module, EXTENSION):
                graph[module].add(target)
    return problems + [f"{PACKAGE}: a circle of imports: {', '.join(circle)}" for circle in circles(graph)]
