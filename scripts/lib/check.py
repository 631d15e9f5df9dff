"""scripts/check: the table of gates, and the loop that runs them. Needs /usr/bin/python3 and no packages."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

import attributes_table
import check_client
import check_comments
import check_guards
import check_js
import check_layers
import check_markdown
import check_names
import check_paths
import check_python_layers
import check_sizes
import check_spec
import check_tidy
import check_tree
import check_words

HERE = pathlib.Path(__file__).resolve().parents[2]


class Skipped(Exception):
    """A gate that cannot run on this machine; the message says why."""


def run(command, root, **more):
    """Runs a tool in the tree; returns its output's lines if it failed, else nothing."""
    done = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more
    )
    return done.stdout.splitlines() or [f"{command[0]} exits {done.returncode}"] if done.returncode else []


def tool(name, *places):
    """The tool's path: one of the places if it is there, else from PATH. Raises Skipped without it."""
    found = next((str(place) for place in places if place.exists()), None) or shutil.which(name)
    if not found:
        raise Skipped(f"{name} not installed")
    return found


def names(paths):
    """The paths as arguments, which no file's name can turn into options."""
    return ["./" + path.as_posix() for path in paths]


def check_format(root):
    """clang-format would change nothing."""
    paths = names(check_tree.with_suffix(root, ".c", ".h"))
    lines = run([tool("clang-format"), "--dry-run", "-Werror", *paths], root) if paths else []
    return [line for line in lines if " error: " in line] or lines


def check_ruff(root):
    """ruff finds nothing in the Python files."""
    paths = names(check_tree.with_suffix(root, ".py"))
    command = [
        tool("ruff", HERE / ".venv/bin/ruff"),
        "check",
        "--quiet",
        "--no-cache",
        "--output-format=concise",
    ]
    return run([*command, *paths], root) if paths else []


def check_types(root):
    """mypy ([tool.mypy] in pyproject.toml) finds nothing in the Python package. It needs what .venv has installed."""
    mypy = HERE / ".venv/bin/mypy"
    if not mypy.exists():
        raise Skipped("mypy not installed in .venv: scripts/setup --tests")
    return run([str(mypy), "--no-error-summary", "--no-pretty", "--hide-error-context"], root)


def check_shell(root):
    """shellcheck finds nothing in the shell scripts."""
    paths = names(check_tree.shell_scripts(root))
    return run([tool("shellcheck"), "--format=gcc", "-x", *paths], root) if paths else []


def check_javascript(root):
    """Every JavaScript file parses, as a module."""
    node, problems = tool("node"), []
    for path in check_tree.with_suffix(root, ".js", ".mjs"):
        with open(root / path) as file:
            lines = run([node, "--input-type=module", "--check", "-"], root, stdin=file)
        problems += [f"{path}: {line}" for line in lines if line.strip()]
    return problems


def check_js_types(root):
    """TypeScript finds nothing in the browser's side, whose types are JSDoc comments."""
    if not (root / check_js.TSC).exists():
        raise Skipped("tests/js/node_modules not installed: scripts/setup --node")
    return check_js.check_types(root)


def check_client_size(root):
    """The browser's side is small, and its table of attributes is the template compiler's."""
    tool("esbuild")
    return attributes_table.check(root) + check_client.check(root)


def check_clang_tidy(root, **choice):
    """clang-tidy (.clang-tidy) finds nothing in what is built. choice: as in check_tidy.check."""
    clang_tidy, folder = tool("clang-tidy"), root / "build-check"
    if not (folder / "build.ninja").exists():
        problems = run([tool("meson"), "setup", str(folder)], root)
    else:
        problems = run([tool("ninja"), "-C", str(folder), "build.ninja"], root)
    if problems:
        raise RuntimeError("\n".join(problems[-20:]))
    return check_tidy.check(root, folder, clang_tidy, run, **choice)


CLANG_TIDY_HELP = """\
clang-tidy takes minutes for the whole tree. By default it skips a file only if it found that file
clean before in the very same state: the same clang-tidy, checks and compile command, and the same
bytes in the file and in all that it includes. This is remembered for all clones of a machine in
TROUPE_CACHE (~/.cache/troupe/clang-tidy), which CI may carry from run to run. So a change costs
what it touches, and no fault can hide.

  --since REV  analyzes only files that read something which differs from the merge base of REV
               and HEAD, committed or not; all of them if a meson.build or .clang-tidy differs.
               A quick answer on a branch: what REV itself holds is trusted.
  --all        analyzes every file, whatever is remembered. For the nightly run.
"""

# name: the gate, and whether it belongs to --fast.
GATES = {
    "format": (check_format, True),
    "layers": (check_layers.check, True),
    "python-layers": (check_python_layers.check, True),
    "sizes": (check_sizes.check, True),
    "guards": (check_guards.check, True),
    "names": (check_names.check, True),
    "comments": (check_comments.check, True),
    "spec": (check_spec.check, True),
    "paths": (check_paths.check, True),
    "markdown": (check_markdown.check, True),
    "ruff": (check_ruff, True),
    "types": (check_types, True),
    "shellcheck": (check_shell, True),
    "javascript": (check_javascript, True),
    "js-circles": (check_js.check_circles, True),
    "js-types": (check_js_types, True),
    "client": (check_client_size, True),
    "registries": (check_words.check_registries, True),
    "unfinished": (check_words.check_unfinished, True),
    "clang-tidy": (check_clang_tidy, False),
}


def report(name, root, options=None):
    """Runs one gate, prints its line and what it found; returns whether it passed. options: {gate: its keywords}."""
    start = time.monotonic()
    try:
        problems, note = GATES[name][0](root, **(options or {}).get(name, {})), ""
    except Skipped as reason:
        problems, note = [], f"  skipped: {reason}"
    except Exception as error:
        problems, note = [f"{type(error).__name__}: {error}"], ""
    word = "FAIL" if problems else "skip" if note else "ok"
    print(f"{word:4}  {name:12} {time.monotonic() - start:6.1f} s{note}", flush=True)
    for line in problems:
        print(f"      {line}")
    return not problems


def main():
    """Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="scripts/check",
        description="Runs the gates of this repository.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=CLANG_TIDY_HELP,
    )
    parser.add_argument("--fast", action="store_true", help="without clang-tidy")
    parser.add_argument("--since", metavar="REV", help="clang-tidy: only what a change since REV touches")
    parser.add_argument("--all", action="store_true", help="clang-tidy: also what is known to be clean")
    parser.add_argument("--list", action="store_true", help="print the gates' names")
    parser.add_argument("--root", type=pathlib.Path, default=HERE, help=argparse.SUPPRESS)
    parser.add_argument("gates", nargs="*", metavar="GATE")
    args = parser.parse_args()
    unknown = [name for name in args.gates if name not in GATES]
    if unknown:
        parser.error(f"no such gate: {', '.join(unknown)}; there are {', '.join(GATES)}")
    if args.list:
        print("\n".join(GATES))
        return 0
    wanted = args.gates or [name for name, (_, fast) in GATES.items() if fast or not args.fast]
    options = {"clang-tidy": {"since": args.since, "everything": args.all}}
    passed = [report(name, args.root.resolve(), options) for name in wanted]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
