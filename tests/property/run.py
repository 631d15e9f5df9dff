"""Runs the property tests by hand, in several processes, and shrinks what it finds.

.venv/bin/python tests/property/run.py --cases 10000 --jobs 2 [--seed S]
.venv/bin/python tests/property/run.py --seed S --only N        one case
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def set_up(settings="random_site.settings"):
    """Django, with these settings. TROUPE_BUILD: another build whose extension module to take."""
    sys.path[:0] = [str(HERE), str(HERE.parent.parent / "python")]
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django

    import troupe

    django.setup()
    if os.environ.get("TROUPE_BUILD"):
        troupe.__path__.insert(0, str(Path(os.environ["TROUPE_BUILD"], "worker", "py")))


def run(numbers, seed, most_shrunk=3, tries=400, chromium=False):
    """(Counts, [(seed of the case, sentence, case for a reader), …]) of the cases of these numbers."""
    from browser import Chromium, Jsdom
    from case import make
    from equivalence import Counts, Difference, Discarded, check
    from shrink import Shrinker, told

    counts, found = Counts(), []
    with tempfile.TemporaryDirectory() as profile, Chromium(profile) if chromium else Jsdom() as browser:

        def fails(case, like=None):
            if not case.has_its_root():
                return None
            try:
                check(case, browser, Counts())
            except Discarded:
                return None
            except Difference as error:
                return str(error) if like in (None, error.kind()) else None
            return None

        for number in numbers:
            case = make(f"{seed}:{number}")
            try:
                check(case, browser, counts, cached=number % 2 == 1)
            except Discarded:
                counts.all["discarded"] += 1
            except Difference as error:
                text = str(error)
                if len(found) < most_shrunk and fails(case):
                    kind = error.kind()
                    case = Shrinker(case, lambda case, kind=kind: fails(case, kind), tries).run()
                    text = f"{error}\nshrunk: {fails(case)}"
                found.append((f"{seed}:{number}", text, told(case)))
    return counts, found


def run_in_jobs(cases, seed, jobs, **options):
    """The same, in processes that each take their share."""
    shares = [range(job, cases, jobs) for job in range(jobs)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(jobs, initializer=set_up) as pool:
        waiting = [pool.apply_async(run, (share, seed), options) for share in shares]
        results = [one.get() for one in waiting]
    counts, found = results[0]
    for other, more in results[1:]:
        counts.add(other)
        found += more
    return counts, found


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", default=os.environ.get("TROUPE_SEED") or str(random.randrange(1 << 32)))
    parser.add_argument("--only", type=int)
    parser.add_argument("--chromium", action="store_true", help="a real browser")
    parser.add_argument("--show", type=int, default=6, help="how many findings to print in full")
    parser.add_argument("--shrink", type=int, default=3, help="how many to shrink, a job")
    given = parser.parse_args()
    set_up()
    start = time.perf_counter()
    if given.only is not None:
        counts, found = run([given.only], given.seed, given.shrink, chromium=given.chromium)
    elif given.jobs > 1:
        counts, found = run_in_jobs(given.cases, given.seed, given.jobs, most_shrunk=given.shrink)
    else:
        counts, found = run(range(given.cases), given.seed, given.shrink, chromium=given.chromium)
    took = time.perf_counter() - start
    for at, (name, text, case) in enumerate(found):
        print(f"== case {name}: {text[:1600]}\n{case[:3000] if at < given.show else ''}\n")
    print(counts.table())
    done = counts.all["cases"]
    print(f"seed {given.seed}: {len(found)} of {done} cases differ; {done / took:.0f} cases/s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
