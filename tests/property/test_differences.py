"""What a browser shows after the differences of a region (PROTOCOL.md 9.6): the same as a fresh parse of the new HTML.

Random pairs of HTML, whose changes the worker's code writes, in Chromium. tests/worker/page/difference_parser.mjs is
the same in jsdom.
"""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from browser import Chromium

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "tests" / "worker" / "page"
TOOL = ROOT / "build" / "tests" / "worker" / "html_difference"
PAIRS_A_CASE = 10
BATCH = 500
COMPARE = """
const [module, cases, done] = arguments
const compared = async () => {
  (0, eval)(await (await fetch('/client/early.js')).text())
  const { compare } = await import(URL.createObjectURL(new Blob([module], { type: 'text/javascript' })))
  const { createMorpher } = await import('/client/morph.js')
  const { create } = await import('/client/differences.js')
  const { changed, wrong, share } = compare(window, JSON.parse(cases), { createMorpher, create })
  return { changed, share, wrong: wrong.slice(0, 3), count: wrong.length }
}
compared().then(done, (error) => done({ error: String(error.stack) }))
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with Chromium(str(tmp_path_factory.mktemp("chromium"))) as one:
        yield one


def test_the_dom_is_that_of_a_fresh_parse(chromium):
    pairs = int(os.environ.get("TROUPE_CASES", 300)) * PAIRS_A_CASE
    seed = int(os.environ.get("TROUPE_SEED") or time.time_ns() % 1_000_000)
    print(f"TROUPE_SEED={seed}")
    made = subprocess.run(
        ["node", PAGE / "difference_cases.mjs", TOOL, str(pairs), str(seed)], capture_output=True, text=True, check=True
    )
    cases = json.loads(made.stdout)
    module = (PAGE / "difference_pairs.mjs").read_text()
    wrong, examples = 0, []
    for first in range(0, len(cases), BATCH):
        # As text, with escapes: the driver's own JSON has no place for half a pair.
        batch = json.dumps(cases[first : first + BATCH])
        found = chromium.driver.execute_async_script(COMPARE, module, batch)
        assert "error" not in found, found["error"]
        wrong += found["count"]
        examples += found["wrong"]
    print(f"{pairs} pairs, {len(cases)} with a change, {wrong} differ")
    assert not wrong, json.dumps(examples[:3], indent=1)
    assert len(cases) > pairs / 5
