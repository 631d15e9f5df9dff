"""Every gate of scripts/check can fail: each is given a small tree with one thing wrong in it."""

import pathlib
import shutil
import subprocess

import check
import check_client
import check_guards
import check_layers
import check_names
import check_sizes
import check_spec
import check_tree
import check_words
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write(root, path, text):
    """A file of the tree."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def problems_of(name, root):
    """What the gate finds in the tree; skips where its tool is not installed."""
    try:
        return check.GATES[name][0](root)
    except check.Skipped as reason:
        pytest.skip(str(reason))


# --- layers


ALLOWED = [
    ("common/a.c", '"common/a.h"'),
    ("common/a.c", "<stdio.h>"),
    ("proto/a.c", '"common/a.h"'),
    ("proto/a.c", "<msgpack.h>"),
    ("broker/a.c", '"proto/a.h"'),
    ("broker/a.c", "<czmq.h>"),
    ("broker/a.c", '"broker/store/a.h"'),
    ("broker/store/a.c", '"broker/routing/a.h"'),
    ("worker/page/a.c", '"proto/a.h"'),
    ("worker/actor/a.c", '"worker/page/a.h"'),
    ("worker/io/a.c", '"worker/actor/a.h"'),
    ("worker/process.c", '"worker/py/a.h"'),
    ("worker/main.c", '"worker/process.h"'),
    ("worker/module.c", "<Python.h>"),
    ("worker/py/a.c", '"worker/actor/a.h"'),
    ("worker/py/a.c", '"worker/py/live/a.h"'),
    ("worker/py/live/a.c", '"worker/py/template/a.h"'),
    ("worker/py/template/a.c", '"worker/py/filters/a.h"'),
    ("worker/py/filters/a.c", '"worker/py/python.h"'),
    ("worker/py/a.c", "<Python.h>"),
    ("worker/py/a.c", "<msgpack/pack.h>"),
    ("fleet/a.c", '"proto/a.h"'),
    ("tests/worker/a.c", '"broker/a.h"'),
    ("bench/a.c", "<zmq.h>"),
]
FORBIDDEN = [
    ("common/a.c", '"proto/a.h"'),
    ("common/a.c", "<zmq.h>"),
    ("common/a.c", "<msgpack.h>"),
    ("proto/a.c", '"broker/a.h"'),
    ("proto/a.h", '"worker/a.h"'),
    ("proto/a.c", "<czmq.h>"),
    ("proto/a.c", "<Python.h>"),
    ("broker/a.c", '"worker/a.h"'),
    ("broker/a.c", '"fleet/a.h"'),
    ("broker/a.c", "<msgpack/unpack.h>"),
    ("broker/routing/a.c", '"broker/store/a.h"'),
    ("broker/io/a.c", '"broker/a.h"'),
    ("worker/io/a.c", '"broker/a.h"'),
    ("worker/io/a.c", '"worker/py/a.h"'),
    ("worker/actor/a.c", '"worker/io/a.h"'),
    ("worker/page/a.c", '"worker/actor/a.h"'),
    ("worker/actor/a.c", "<Python.h>"),
    ("worker/main.c", "<Python.h>"),
    ("worker/process.c", "<Python.h>"),
    ("worker/module.c", '"worker/py/a.h"'),
    ("worker/actor/a.c", "<msgpack.h>"),
    ("worker/actor/a.c", "<zmq.h>"),
    ("worker/py/a.c", "<zmq.h>"),
    ("worker/py/filters/a.c", '"worker/py/template/a.h"'),
    ("worker/py/template/a.c", '"worker/py/live/a.h"'),
    ("worker/py/live/a.c", '"worker/py/python_views.h"'),
    ("worker/py/a.c", '"broker/a.h"'),
    ("fleet/a.c", '"worker/a.h"'),
    ("common/a.c", '"a.h"'),
    ("elsewhere/a.c", "<stdio.h>"),
    ("worker/io/a.c", '"worker/page/a_internal.h"'),
]


@pytest.mark.parametrize(("path", "target"), ALLOWED)
def test_layers_allow(tmp_path, path, target):
    write(tmp_path, path, f"#include {target}\n")
    assert check_layers.check(tmp_path) == []


@pytest.mark.parametrize(("path", "target"), FORBIDDEN)
def test_layers_forbid(tmp_path, path, target):
    write(tmp_path, path, f"\n  #  include {target}\n")
    assert len(check_layers.check(tmp_path)) == 1


def test_modules_may_not_include_each_other(tmp_path):
    write(tmp_path, "worker/page/a.h", '#include "worker/page/b.h"\n')
    write(tmp_path, "worker/page/b.h", "")
    write(tmp_path, "worker/page/c.c", '#include "worker/page/a.h"\n')
    assert check_layers.check(tmp_path) == []
    write(tmp_path, "worker/page/b.c", '#include "worker/page/c.h"\n')
    write(tmp_path, "worker/page/c.h", "")
    assert len(check_layers.check(tmp_path)) == 3  # a to b to c to a


def test_files_with_an_internal_header_are_one_module(tmp_path):
    write(tmp_path, "worker/page/a.h", "")
    write(tmp_path, "worker/page/a_internal.h", '#include "worker/page/a.h"\n')
    write(tmp_path, "worker/page/a.c", '#include "worker/page/a_internal.h"\n#include "worker/page/b.h"\n')
    write(tmp_path, "worker/page/b.h", "")
    write(tmp_path, "worker/page/b.c", '#include "worker/page/a_internal.h"\n#include "worker/page/b.h"\n')
    assert check_layers.check(tmp_path) == []


# --- client


def test_the_browsers_side_is_small(tmp_path):
    write(tmp_path, "scripts/lib/minify", "#!/bin/sh\nhead -c 9000 /dev/urandom >$1/troupe.min.js\n")
    (tmp_path / "scripts/lib/minify").chmod(0o755)
    assert problems_of("client", tmp_path) == []
    for name, size, most in (("troupe", 13000, check_client.MOST), ("forms", 4200, check_client.MOST_OF_A_PART)):
        write(tmp_path, "scripts/lib/minify", f"#!/bin/sh\nhead -c {size} /dev/urandom >$1/{name}.min.js\n")
        assert f"bytes gzipped, {most} or more" in problems_of("client", tmp_path)[0]
    write(tmp_path, "scripts/lib/minify", "#!/bin/sh\necho broken >&2\nexit 1\n")
    assert problems_of("client", tmp_path) == ["broken"]


# --- guards


def test_guards(tmp_path):
    write(tmp_path, "a/one.h", "// one - of a.\n#ifndef A_ONE_H\n#define A_ONE_H\n\nint one;\n\n#endif\n")
    write(tmp_path, "b/two.h", "#ifndef B_TWO_H\n#define B_TWO_H\n#endif // of all\n")
    assert check_guards.check(tmp_path) == []
    write(tmp_path, "b/one.h", "#ifndef A_ONE_H\n#define A_ONE_H\n#endif\n")
    assert check_guards.check(tmp_path) == ["b/one.h: the include guard A_ONE_H is a/one.h's"]


@pytest.mark.parametrize(
    "text", ["int a;\n", "#ifndef A\n#define B\n#endif\n", "#ifndef A\n#define A\n#endif\nint a;\n"]
)
def test_guards_are_around_all(tmp_path, text):
    write(tmp_path, "a.h", text)
    assert check_guards.check(tmp_path) == ["a.h: no include guard around all of it"]


# --- names


@pytest.mark.parametrize(
    "code",
    [
        "static void\nf(child *of)\n{\n}\n",
        "void f(const buffer *to, size_t size);\n",
        "int\nf(void)\n{\n    for (size_t by = 0; by < 2; by++)\n        g();\n}\n",
        "int\nf(void)\n{\n    const char *said = g();\n}\n",
        "int\nf(void)\n{\n    uint8_t one[4];\n}\n",
        "int\nf(void)\n{\n    bool gone;\n}\n",
    ],
)
def test_names_find_fillers(tmp_path, code):
    write(tmp_path, "broker/a.c", code)
    (problem,) = check_names.check(tmp_path)
    assert problem.startswith(f"broker/a.c:{2 if code.startswith('static') else 4 if 'int' in code else 1}: `")


@pytest.mark.parametrize(
    "code",
    [
        "// what is sent to one of them\nint count;\n",
        'const char *text = "int of;";\n',
        "typedef struct {\n    int of;\n    struct {\n        bool gone;\n    } inner;\n} pair;\n",
        "enum { one, two };\n",
        "int\nf(int from, int at)\n{\n    return from * at;\n}\n",
        "int\nf(int size)\n{\n    return of;\n}\n",
        "int\nf(int size)\n{\n    g(size * one);\n}\n",
    ],
)
def test_names_allow(tmp_path, code):
    write(tmp_path, "broker/a.c", code)
    assert check_names.check(tmp_path) == []


def test_names_of_static_functions_are_unique_in_a_folder(tmp_path):
    write(tmp_path, "broker/a.c", "static int\ns_find(void)\n{\n    return s_all();\n}\n")
    write(tmp_path, "broker/b.c", "static int\ns_all(void)\n{\n    return s_find();\n}\n")
    write(tmp_path, "fleet/a.c", "static int\ns_find(void)\n{\n}\n")
    for name in "ab":
        write(tmp_path, f"tests/{name}.c", "static int\ns_find(void)\n{\n}\n")
    assert check_names.check(tmp_path) == []
    write(tmp_path, "broker/c.c", "static int\ns_find(void)\n{\n}\n")
    assert check_names.check(tmp_path) == ["broker/c.c: s_find is also the name of a static function in a.c"]


# --- sizes


def c_function(lines):
    """A C function whose braces span so many lines."""
    return "int\nlong_one(int a,\n         int b)\n{\n" + "    a++;\n" * (lines - 2) + "}\n"


def python_function(lines):
    """A Python function of so many lines."""
    return "def long_one():\n" + "    pass\n" * (lines - 1)


def js_function(lines):
    """A JavaScript method of so many lines."""
    return "class A {\n  longOne(a) {\n" + "    if (a) {\n    }\n" * ((lines - 2) // 2) + "  }\n}\n"


@pytest.mark.parametrize(("name", "make"), [("a.c", c_function), ("a.py", python_function), ("a.js", js_function)])
def test_sizes_of_functions(tmp_path, name, make):
    write(tmp_path, f"common/{name}", make(80) * 2)
    assert check_sizes.check(tmp_path) == []
    write(tmp_path, f"common/{name}", make(80) + make(82))
    assert len(check_sizes.check(tmp_path)) == 1
    assert "has 82 lines" in check_sizes.check(tmp_path)[0]


def test_sizes_of_functions_in_functions(tmp_path):
    inner = "  function inner() {\n" + "    a()\n" * 70 + "  }\n"
    write(tmp_path, "a.js", "function outer() {\n" + inner * 3 + "  a()\n" * 78 + "}\n")
    assert check_sizes.check(tmp_path) == []
    write(tmp_path, "a.js", "function outer() {\n" + inner * 3 + "  a()\n" * 79 + "}\n")
    assert "outer() has 81 lines" in check_sizes.check(tmp_path)[0]


@pytest.mark.parametrize("head", ["function f(a) {", "const f = async (a) => {", "  async f(a) {", "  get f() {"])
def test_sizes_know_functions_of_javascript(head):
    indent = head[: len(head) - len(head.lstrip())]
    source = f"{head}\n" + "  x();\n" * 5 + indent + "}\n"
    assert [lines for _, _, lines in check_sizes.js_functions(source)] == [7]


@pytest.mark.parametrize("head", ["  if (a) {", "  for (const a of b) {", "  while (a) {", "  switch (a) {"])
def test_sizes_know_what_is_no_function(head):
    assert list(check_sizes.js_functions(f"{head}\n  x();\n  }}\n")) == []


def test_sizes_of_files(tmp_path):
    write(tmp_path, "common/a.h", "// line\n" * 600)
    write(tmp_path, "data.json", "1\n" * 2000)
    write(tmp_path, "node_modules/a.js", "1;\n" * 2000)
    assert check_sizes.check(tmp_path) == []
    write(tmp_path, "common/a.h", "// line\n" * 601)
    assert check_sizes.check(tmp_path) == ["common/a.h: 601 lines, more than 600"]


def test_sizes_of_most_functions(tmp_path):
    write(tmp_path, "broker/a.c", c_function(30) * 96 + c_function(31) * 4)
    assert not list(check_sizes.usual(tmp_path))
    write(tmp_path, "broker/a.c", c_function(30) * 94 + c_function(31) * 6)
    assert list(check_sizes.usual(tmp_path)) == ["31 lines is the 95th percentile of functions, over 30"]


def test_sizes_of_folders(tmp_path):
    for number in range(40):
        write(tmp_path, f"broker/{number}.h", "")
        write(tmp_path, f"tests/fuzz/corpus/codec/{number}", "")
    write(tmp_path, "tests/fuzz/corpus/codec/41", "")
    assert check_sizes.check(tmp_path) == []
    write(tmp_path, "broker/40.h", "")
    assert check_sizes.check(tmp_path) == ["broker: 41 files, more than 40"]


# --- spec


SPEC_FILES = (
    "proto/PROTOCOL.md",
    "proto/message.def",
    "proto/message.h",
    "common/errors.def",
    "common/limits.def",
    "python/troupe/conf.py",
    "python/troupe/_limits.py",
    "python/troupe/static/troupe/limits.js",
    "proto/session.def",
)


@pytest.fixture
def spec(tmp_path):
    """A copy of the specification and of the tables that it is compared with."""
    for name in SPEC_FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(root, path, old, new):
    """Replaces the first place of a text that must be there."""
    text = (root / path).read_text()
    assert old in text
    (root / path).write_text(text.replace(old, new, 1))


def test_spec_of_this_repository(spec):
    assert check_spec.check(spec) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("proto/message.def", "MESSAGE(EVENT, 0x03", "MESSAGE(EVENT, 0x13", "message EVENT"),
        ("proto/message.def", "MESSAGE(PONG, 0x28, REPLY)\n", "", "message PONG"),
        ("proto/message.def", "0x41, CONTROL", "0x41, REQUEST", "message REGISTER"),
        ("proto/PROTOCOL.md", "| 0x05 | PING |", "| 0x05 | PINGS |", "message PING"),
        ("proto/message.h", "FLAG_HTML = 0x0002", "FLAG_HTML = 0x0102", "flag HTML"),
        ("proto/PROTOCOL.md", "    0x0020  REPEAT ", "    0x0040  REPEAT ", "flag REPEAT"),
        ("common/errors.def", '"gap", NOT_EXECUTED', '"gap", FAILED', "error gap"),
        ("common/errors.def", '"forgotten"', '"forgot"', "error forgotten"),
        ("proto/PROTOCOL.md", "| `stale` |", "| `old` |", "error stale"),
        ("proto/PROTOCOL.md", "Its kinds: `python` ", "Its kinds: `snake` ", "error python"),
        ("common/limits.def", "MAX_ROUTING_ID, 32", "MAX_ROUTING_ID, 33", "limit MAX_ROUTING_ID"),
        (
            "common/limits.def",
            "MAX_REQUEST_BODY, 1 << 20",
            "MAX_REQUEST_BODY, 1 << 21",
            "limit MAX_REQUEST_BODY",
        ),
        ("common/limits.def", "WORKER_DEAD_MS, 8000", "WORKER_DEAD_MS, 9000", "limit WORKER_DEAD_MS"),
        ("common/limits.def", "MAX_URL, 8 << 10", "MAX_URL, sizeof(x)", "of the form LIMIT"),
        ("python/troupe/_limits.py", "MAX_URL = 8", "MAX_URL = 9", "_limits.py: not what common/limits.def"),
        ("python/troupe/static/troupe/limits.js", "= 256", "= 255", "limits.js: not what common/limits.def"),
        ("python/troupe/conf.py", '"EVENT_RATE": _number(100', '"EVENT_RATE": _number(99', "limit EVENT_RATE"),
        ("proto/PROTOCOL.md", "| identity | 32 bytes |", "| identity | 48 bytes |", "limit MAX_IDENTITY"),
        ("proto/PROTOCOL.md", "| identity | 32 bytes |\n", "", "limit 'identity'"),
        (
            "proto/PROTOCOL.md",
            "| identity | 32 bytes |\n",
            "| identity | 32 bytes |\n| moons | 2 |\n",
            "limit 'moons'",
        ),
        ("proto/session.def", "T(ACTIVE, LOST, NONE, FORGET)\n", "", "ACTIVE with LOST"),
        (
            "proto/session.def",
            "T(ACTIVE, LOST, NONE",
            "T(ACTIVE, LOST, NONE, DROP)\nT(ACTIVE, LOST, NONE",
            "ACTIVE with LOST",
        ),
        ("proto/session.def", "T(ACTIVE, LOST, NONE", "T(ACTIVE, LOST, NOWHERE", "no STATE: NOWHERE"),
    ],
)
def test_spec_finds(spec, path, old, new, said):
    change(spec, path, old, new)
    assert any(said in problem for problem in check_spec.check(spec))


# --- words


def test_registries(tmp_path):
    write(tmp_path, "a.md", "see example.org\n")
    assert check_words.check_registries(tmp_path) == []
    for host in check_words.HOSTS:
        write(tmp_path, "lock.json", f'one\n"https://files.{host.upper()}/x"\n')
        assert [line.lower() for line in check_words.check_registries(tmp_path)] == [f"lock.json:2: {host}"]


def test_unfinished(tmp_path):
    write(tmp_path, "a.c", "// a todo list; mktemp " + "X" * 6 + "\n")
    write(tmp_path, "tests/fuzz/corpus/codec/1", "X" * 3)
    assert check_words.check_unfinished(tmp_path) == []
    for word in ("TO" + "DO", "FIX" + "ME", "X" * 3):
        write(tmp_path, "a.c", f"// {word}: later\n")
        assert check_words.check_unfinished(tmp_path) == [f"a.c:1: {word}"]


# --- tools


def test_format(tmp_path):
    shutil.copy(ROOT / ".clang-format", tmp_path)
    write(tmp_path, "common/a.c", "int\nf(void)\n{\n    return 1;\n}\n")
    assert problems_of("format", tmp_path) == []
    write(tmp_path, "common/a.c", "int f(void) { return 1; }\n")
    assert problems_of("format", tmp_path)


def test_ruff(tmp_path):
    write(tmp_path, "a.py", "print(1)\n")
    assert problems_of("ruff", tmp_path) == []
    write(tmp_path, "a.py", "import os\n")
    assert problems_of("ruff", tmp_path)


def test_types(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    write(tmp_path, "python/troupe/a.py", "def double(number: int) -> int:\n    return 2 * number\n")
    assert problems_of("types", tmp_path) == []
    write(tmp_path, "python/troupe/a.py", "def double(number):\n    return 2 * number\n")
    assert "no-untyped-def" in problems_of("types", tmp_path)[0]


def test_shellcheck(tmp_path):
    write(tmp_path, "scripts/run", '#!/usr/bin/env bash\necho "$1"\n')
    assert problems_of("shellcheck", tmp_path) == []
    write(tmp_path, "scripts/run", "#!/usr/bin/env bash\nrm $1\n")
    assert problems_of("shellcheck", tmp_path)


def test_js_circles(tmp_path):
    folder = "python/troupe/static/troupe/"
    write(tmp_path, folder + "a.js", "import { b } from './b.js'\n")
    write(tmp_path, folder + "b.js", "import {\n  c,\n} from './c.js'\n")
    write(tmp_path, folder + "c.js", "// import './a.js'\nexport const c = 1\n")
    assert problems_of("js-circles", tmp_path) == []
    write(tmp_path, folder + "c.js", "import './a.js'\n")
    (problem,) = problems_of("js-circles", tmp_path)
    assert problem.endswith("a circle of imports: a.js → b.js → c.js → a.js")


def test_javascript(tmp_path):
    write(tmp_path, "a.js", 'import { b } from "./b.js";\nexport const a = b;\n')
    assert problems_of("javascript", tmp_path) == []
    write(tmp_path, "a.js", "export const a = (\n")
    assert any(problem.startswith("a.js: ") for problem in problems_of("javascript", tmp_path))


@pytest.fixture
def cache(tmp_path_factory, monkeypatch):
    """A memory of clean files of the test's own."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TROUPE_CACHE", str(folder))
    return folder


def test_clang_tidy(tmp_path, cache):
    shutil.copy(ROOT / ".clang-tidy", tmp_path)
    write(tmp_path, "meson.build", "project('t', 'c')\nstatic_library('t', 'common/a.c')\n")
    write(tmp_path, "common/a.c", "int f(int a);\nint\nf(int a)\n{\n    return a;\n}\n")
    assert problems_of("clang-tidy", tmp_path) == []
    write(
        tmp_path,
        "common/a.c",
        "int f(int a);\nint\nf(int a)\n{\n    if (a);\n        a = 1;\n    return a;\n}\n",
    )
    assert any("bugprone-suspicious-semicolon" in problem for problem in problems_of("clang-tidy", tmp_path))


@pytest.fixture
def looked(tmp_path, monkeypatch, cache):
    """A small project; the list of the files that clang-tidy analyzes."""
    shutil.copy(ROOT / ".clang-tidy", tmp_path)
    write(tmp_path, "meson.build", "project('t', 'c')\nstatic_library('t', 'common/a.c', 'common/b.c')\n")
    write(tmp_path, "common/a.h", "int f(int a);\n")
    write(tmp_path, "common/a.c", '#include "a.h"\nint\nf(int a)\n{\n    return a;\n}\n')
    write(tmp_path, "common/b.c", "int g(void);\nint\ng(void)\n{\n    return 1;\n}\n")
    looked = []

    def run(command, root, **more):
        if "clang-tidy" in str(command[0]):
            looked.append(command[-1])
        return real(command, root, **more)

    real = check.run
    monkeypatch.setattr(check, "run", run)
    return looked


def test_clang_tidy_looks_again_at_what_changed(tmp_path, looked):
    """What was clean is not looked at again, unless anything that it reads is another: headers and comments too."""
    assert problems_of("clang-tidy", tmp_path) == [] and sorted(looked) == ["common/a.c", "common/b.c"]
    looked.clear()
    assert problems_of("clang-tidy", tmp_path) == [] and looked == []
    write(tmp_path, "common/a.h", "int f(int b);\n")
    assert any("inconsistent-declaration" in problem for problem in problems_of("clang-tidy", tmp_path))
    assert looked == ["common/a.c"]
    looked.clear()
    assert problems_of("clang-tidy", tmp_path) != [] and looked == ["common/a.c"]  # what was found is found again
    write(tmp_path, "common/a.h", "int f(int b); // NOLINT\n")
    assert problems_of("clang-tidy", tmp_path) == []
    write(tmp_path, "common/a.h", "int f(int b);\n")
    assert problems_of("clang-tidy", tmp_path) != []
    looked.clear()
    (tmp_path / ".clang-tidy").write_text((tmp_path / ".clang-tidy").read_text() + "\n# another\n")
    assert problems_of("clang-tidy", tmp_path) != [] and sorted(looked) == ["common/a.c", "common/b.c"]


def test_clang_tidy_knows_what_was_clean_in_another_clone(tmp_path, looked, tmp_path_factory):
    assert problems_of("clang-tidy", tmp_path) == [] and len(looked) == 2
    clone = tmp_path_factory.mktemp("elsewhere") / "clone"
    shutil.copytree(tmp_path, clone, ignore=shutil.ignore_patterns("build-check"))
    looked.clear()
    assert problems_of("clang-tidy", clone) == [] and looked == []
    write(clone, "common/b.c", "int g(void);\nint\ng(void)\n{\n    return 2;\n}\n")
    assert problems_of("clang-tidy", clone) == [] and looked == ["common/b.c"]
    looked.clear()
    assert check.check_clang_tidy(clone, everything=True) == [] and sorted(looked) == ["common/a.c", "common/b.c"]


def test_clang_tidy_since_a_revision(tmp_path, looked, cache):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    def since(revision):
        looked.clear()
        for file in cache.iterdir():
            file.unlink()
        assert check.check_clang_tidy(tmp_path, since=revision) == []
        return sorted(looked)

    problems_of("clang-tidy", tmp_path)
    write(tmp_path, ".gitignore", "/build-check\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert since("HEAD") == []
    write(tmp_path, "common/a.h", "int f(int a); // not committed\n")
    assert since("HEAD") == ["common/a.c"]
    git("commit", "-qam", "two")
    assert since("HEAD") == [] and since("HEAD~1") == ["common/a.c"]
    (tmp_path / ".clang-tidy").write_text((tmp_path / ".clang-tidy").read_text() + "\n# another\n")
    assert since("HEAD") == ["common/a.c", "common/b.c"]
    with pytest.raises(RuntimeError, match="no-such-revision"):
        check.check_clang_tidy(tmp_path, since="no-such-revision")


# --- the runner


def test_a_failing_gate_is_told_and_fails_the_run(tmp_path, capsys):
    write(tmp_path, "elsewhere/a.c", "")
    assert check.report("layers", tmp_path) is False
    assert capsys.readouterr().out.startswith("FAIL  layers ")
    assert check.report("unfinished", tmp_path) is True
    assert capsys.readouterr().out.startswith("ok    unfinished ")


def test_a_gate_without_its_tool_is_told(tmp_path, capsys, monkeypatch):
    def gate(root):
        return check.tool("a-tool-that-nobody-has")

    monkeypatch.setitem(check.GATES, "format", (gate, True))
    assert check.report("format", tmp_path) is True
    assert "skipped: a-tool-that-nobody-has not installed" in capsys.readouterr().out


def test_a_gate_that_breaks_fails(tmp_path, capsys):
    assert check.report("spec", tmp_path) is False
    assert "FileNotFoundError" in capsys.readouterr().out


def test_exit_codes(tmp_path):
    write(tmp_path, "a.c", "// " + "TO" + "DO\n")
    command = ["scripts/check", "--root", str(tmp_path)]
    assert subprocess.run([*command, "unfinished"], cwd=ROOT, capture_output=True).returncode == 1
    assert subprocess.run([*command, "registries"], cwd=ROOT, capture_output=True).returncode == 0
    assert subprocess.run([*command, "no-such-gate"], cwd=ROOT, capture_output=True).returncode == 2


def test_files_of_a_repository(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("tracked.c", "new.c", "ignored.c", "build/made.c", ".venv-oldest/lib/there.py"):
        write(tmp_path, name, "")
    write(tmp_path, ".gitignore", "ignored.c\n")
    subprocess.run(["git", "-C", str(tmp_path), "add", "tracked.c"], check=True)
    assert [path.as_posix() for path in check_tree.files(tmp_path)] == [".gitignore", "new.c", "tracked.c"]
    (tmp_path / "tracked.c").unlink()
    assert "tracked.c" not in [path.as_posix() for path in check_tree.files(tmp_path)]
