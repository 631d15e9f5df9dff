"""The browser's side: its types (TypeScript reads the JSDoc comments), and no circle of imports."""

import re
import subprocess

import check_tree

TSC = "tests/js/node_modules/.bin/tsc"
CONFIG = "tests/js/tsconfig.json"
FOLDERS = ("python/troupe/static/troupe/", "tests/js/", "tests/property/js/")
IMPORT = re.compile(r"""^(?:import|export)\b(?:[^'"]*?\bfrom)?\s*['"](\.[^'"]+)['"]""", re.MULTILINE)


def check_types(root):
    """Returns what TypeScript finds, as lines. It must be installed."""
    done = subprocess.run([root / TSC, "-p", root / CONFIG], cwd=root, capture_output=True, text=True)
    return done.stdout.splitlines() or [done.stderr] if done.returncode else []


def check_circles(root):
    """Returns each circle of imports among the modules, once, as a line "a.js → b.js → a.js"."""
    imports = {}
    for path in check_tree.with_suffix(root, ".js", ".mjs"):
        if path.as_posix().startswith(FOLDERS):
            targets = IMPORT.findall(check_tree.text(root, path))
            imports[path.as_posix()] = [_resolved(path, target) for target in targets]
    return sorted({_as_line(circle) for circle in _circles(imports)})


def _resolved(path, target):
    parts = list(path.parent.parts)
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _circles(imports):
    """Yields paths that begin and end with the same module, by depth-first search."""
    done = set()

    def visit(module, trail):
        if module in trail:
            yield [*trail[trail.index(module) :], module]
        elif module not in done and module in imports:
            for target in imports[module]:
                yield from visit(target, [*trail, module])
            done.add(module)

    for module in sorted(imports):
        yield from visit(module, [])


def _as_line(circle):
    return f"{circle[0]}: a circle of imports: " + " → ".join(name.rsplit("/", 1)[1] for name in circle)
