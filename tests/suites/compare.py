"""Compares the records of a suite, and prints its row of the summary; everything else goes to standard error.

Usage: compare.py NAME VERSION DIRECT... THROUGH
       compare.py --head

A test that the direct runs show differently is not repeatable, and says nothing. Every other difference is one between the driver and the
library, and makes the status 1. A suite of which nothing has run, or nothing has passed, makes it 2: that it fails alike shows little.
"""

import json
import re
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

COLUMNS = ("suite", "version", "tests", "passed both", "failed both alike", "skipped", "differences", "not repeatable", "each run")


def days() -> str:
    """Today's, yesterday's and tomorrow's date, in the forms of ISO and of Python's repr; other dates are values that must be the same."""
    around = [date.today() + timedelta(days=offset) for offset in (-1, 0, 1)]
    return "|".join(form for day in around for form in (day.isoformat(), f"{day.year}, {day.month}, {day.day}"))


# What is different in each run, and what is put in its place.
VARYING = [
    (re.compile(r"\bat 0x[0-9a-f]{6,}"), "at ADDRESS"),
    (re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){4}[0-9a-f]{8}", re.IGNORECASE), "UUID"),
    (re.compile(rf"({days()})([ T,]+\d+[:,] ?\d+([:,] ?\d+)?([.,] ?\d+)?)?"), "NOW"),
    # SQL Server's own names for constraints end in the object's number.
    (re.compile(r"\b([A-Z]{2}__\w+?__)[0-9A-F]{8,16}\b"), r"\1ID"),
    # SQLAlchemy names these conditions in the order of a set of objects, which is that of their addresses.
    (re.compile(r"(Unexpected success for '\w+') \(.*\)"), r"\1 (CONDITIONS)"),
    # The stand-in's port.
    (re.compile(r"\b(127\.0\.0\.1[,:])\d+"), r"\1PORT"),
]


Tests = dict[str, tuple[str, str]]


def read(record: str) -> tuple[Tests, float]:
    """The outcome of each test, and what was said about it; and how long all took, in seconds."""
    tests: Tests = {}
    seconds = 0.0
    for line in Path(record).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        seconds += entry.get("seconds", 0.0)
        if "test" in entry:
            said = "\n".join(": ".join(one) for one in entry["said"])
            for pattern, instead in VARYING:
                said = pattern.sub(instead, said)
            tests[entry["test"]] = (entry["outcome"], said)
    return tests, seconds


def tell(title: str, tests: list[str], direct: list[Tests], through: Tests) -> None:
    for test in tests:
        print(f"\n{title}: {test}", file=sys.stderr)
        for way, runs in (("directly", direct), ("through the library", [through])):
            # Each result once, in the order in which they came.
            for outcome, said in dict.fromkeys(run.get(test, ("not there", "")) for run in runs):
                print(f"  {way}: {outcome} {said}".rstrip(), file=sys.stderr)


def main() -> int:
    if sys.argv[1:] == ["--head"]:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "-|" * len(COLUMNS))
        return 0
    name, version, *records = sys.argv[1:]
    read_ones = [read(record) for record in records]
    *direct, through = [tests for tests, _ in read_ones]
    first, *others = direct
    every = sorted(set().union(through, *direct))
    unstable = [test for test in every if any(first.get(test) != other.get(test) for other in others)]
    different = [test for test in every if test not in set(unstable) and first.get(test) != through.get(test)]
    tell("differs from itself", unstable, direct, through)
    tell("DIFFERENT", different, direct, through)
    left = set(every) - set(unstable) - set(different)
    counts = Counter(first[test][0] for test in left)
    failed = counts["failed"] + counts["error"]
    seconds = ", ".join(f"{seconds:.0f}" for _, seconds in read_ones)
    cells = (name, version, len(every), counts["passed"], failed, counts["skipped"], len(different), len(unstable), f"{seconds} s")
    print("| " + " | ".join(map(str, cells)) + " |")
    if different:
        return 1
    if not counts["passed"]:
        print(f"{name}: no test has passed both ways", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
