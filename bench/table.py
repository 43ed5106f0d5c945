"""Turns the CSV of the benchmarks into the table that script/bench prints and
keeps in bench/results."""

import sys

from measured import read_minimum

TITLES = {
    "capture": "Capture: write, and make the changeset of it",
    "record": "Of that, write with a capture running",
    "generate": "Of that, make the changeset",
    "one-row": "A capture of one UPDATE, all in",
    "iterate": "Look at every value",
    "invert": "Invert",
    "apply": "Apply",
    "concat": "Concatenate 100 changesets",
    "python-rows": "From Python: rows to tuples",
    "python-capture": "From Python: capture, the loop that makes the rows included",
    "python-apply": "From Python: apply",
    "python-invert": "From Python: invert",
    "python-concat": "From Python: concatenate 100 changesets",
}

# What the README promises, checked where the numbers are made: the measure,
# the one it is compared with, and the most that ours may take of it.
PROMISES = [
    ("iterate", "raw", 0.1),
    ("capture", "raw", 1.05),
    ("apply", "raw", 1.05),
    ("python-rows", "apsw", 0.4),
]
INVERT_MB_PER_SECOND = 500


def ratio(a, b):
    return f"{a / b:.2f}" if b else "-"


def print_section(what, cases):
    print(f"\n### {TITLES[what]}\n")
    others = [
        w for w in ("plain", "raw", "apsw", "pairwise") if any(w in c for c in cases.values())
    ]
    heads = ["operation", "key", "columns", "rows", "ns/row", "MB/s"]
    heads += [f"time / {w}" for w in others]
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for (_, op, key, columns, rows), who in sorted(cases.items()):
        seconds, size = who["rowtide"]
        count = 2000 if what == "one-row" else rows
        speed = f"{size / seconds / 1e6:.0f}" if size else "-"
        cells = [op, key, columns, rows, f"{seconds / count * 1e9:.0f}", speed]
        cells += [ratio(seconds, who[w][0]) if w in who else "-" for w in others]
        print("| " + " | ".join(str(c) for c in cells) + " |")


def promises(best):
    for what, other, most in PROMISES:
        found = [
            who["rowtide"][0] / who[other][0]
            for case, who in best.items()
            if case[0] == what and other in who
        ]
        if found:
            yield f"{what}: time / {other}", f"at most {most}", max(found), max(found) <= most
    speeds = [
        who["rowtide"][1] / who["rowtide"][0] / 1e6
        for case, who in best.items()
        if case[0] == "invert"
    ]
    if speeds:
        aim = f"at least {INVERT_MB_PER_SECOND}"
        yield "invert: MB/s", aim, min(speeds), min(speeds) >= INVERT_MB_PER_SECOND


def print_promises(best):
    print("\n### Promises, at the worst case of the tables above\n")
    print("| measure | promised | measured | kept |")
    print("| --- | --- | --- | --- |")
    for name, aim, value, kept in promises(best):
        print(f"| {name} | {aim} | {value:.3g} | {'yes' if kept else '**no**'} |")


def main():
    best = read_minimum(sys.stdin)
    for what in TITLES:
        cases = {case: who for case, who in best.items() if case[0] == what}
        if cases:
            print_section(what, cases)
    print_promises(best)


main()
