"""Turns the CSV of bench/crdt.c into tables, and into a picture of what grows
with rows, columns and tables and what does not."""

import sys
from pathlib import Path

import picture
from measured import read_minimum

# The most that a table which takes part may cost, as a ratio to a plain one.
PROMISES = {
    ("crdt-write", "insert"): 3,
    ("crdt-write", "update"): 3,
    ("crdt-write", "delete"): 3,
    ("crdt-one-row", "insert"): 1.8,
    ("crdt-one-row", "update"): 1.8,
    ("crdt-one-row", "delete"): 1.8,
    ("crdt-size", "insert"): 1.6,
    ("crdt-merge", "api"): 6,
    ("crdt-merge", "select"): 6,
}
# And the least of changes per second, or the most of seconds.
RATES = (
    ("pull", "crdt-pull", "api", 1_500_000),
    ("merge", "crdt-merge", "api", 500_000),
)
LOOKUP_SECONDS = 0.0001

TITLES = {
    "crdt-write": "Writing in one transaction",
    "crdt-one-row": "Transactions of one row",
    "crdt-scattered": "Transactions of one row, scattered over a table with so many",
    "crdt-size": "Size of the file after the inserts",
    "crdt-merge": "Merging everything into an empty peer",
    "crdt-pull": "Pulling everything, by the library and by SELECT",
}


def select(best, what):
    return {case: who for case, who in sorted(best.items()) if case[0] == what}


def print_ratios(best, what):
    print(f"\n### {TITLES[what]}\n")
    print("| operation | key | columns | rows | ratio to a plain table | changes/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (_, op, key, columns, rows), who in select(best, what).items():
        seconds, changes = who["rowtide"]
        if what == "crdt-merge":
            changes = best["crdt-pull", "api", key, columns, rows]["rowtide"][1]
        speed = f"{changes / seconds:,.0f}" if changes else "-"
        cost = f"{seconds / who['plain'][0]:.2f}"
        print(f"| {op} | {key} | {columns} | {rows} | {cost} | {speed} |")


def print_lookups(best):
    if not select(best, "crdt-lookup"):
        return
    print("\n### Looking up, against a log of so many rows or in so many tables\n")
    print("| what | rows | tables | ms |")
    print("| --- | --- | --- | --- |")
    for what in ("crdt-lookup", "crdt-tables"):
        for (_, op, _, _, count), who in select(best, what).items():
            rows, tables = (count, 1) if what == "crdt-lookup" else (1000, count)
            print(f"| {op} | {rows} | {tables} | {who['rowtide'][0] * 1e3:.4f} |")


def promises(best):
    for (what, op), most in PROMISES.items():
        ratios = [
            who["rowtide"][0] / who["plain"][0]
            for case, who in select(best, what).items()
            if case[1] == op
        ]
        if ratios:
            name = f"{TITLES[what]}: {op}"
            yield name, f"at most {most}", max(ratios), max(ratios) <= most
    for name, what, op, least in RATES:
        speed = min(
            best["crdt-pull", "api", *case[2:]]["rowtide"][1] / who["rowtide"][0]
            for case, who in select(best, what).items()
            if case[1] == op
        )
        yield f"{name}, changes/s", f"at least {least:,}", speed, speed >= least
    looked = [
        who["rowtide"][0]
        for what in ("crdt-lookup", "crdt-tables")
        for who in select(best, what).values()
    ]
    if not looked:
        return
    worst = max(looked)
    yield (
        "look-ups, ms",
        f"at most {LOOKUP_SECONDS * 1e3}",
        worst * 1e3,
        worst <= LOOKUP_SECONDS,
    )


def print_promises(best):
    print("\n### Aims, at the worst case of the tables above\n")
    print("| measure | aim | measured | reached |")
    print("| --- | --- | --- | --- |")
    for name, aim, value, kept in promises(best):
        shown = f"{value:,.0f}" if value > 1000 else f"{value:.3g}"
        print(f"| {name} | {aim} | {shown} | {'yes' if kept else '**no**'} |")
    rows = min(
        case[4] / who["plain"][0]
        for case, who in select(best, "crdt-write").items()
        if case[1] == "insert"
    )
    print(
        f"\nChanges/s depend on the machine: this one inserted {rows:,.0f} rows/s into plain "
        "tables, in the slowest case of the first table."
    )


def curves(best):
    """What the picture shows: a title, the axis, and points for each line."""
    rows = {}
    for (_, op, _, _, count), who in select(best, "crdt-lookup").items():
        rows.setdefault(op, []).append((count, who["rowtide"][0] * 1e3))
    yield "Look-up, ms, by rows in the log", rows
    yield (
        "Insert, ratio to plain, by columns",
        {
            "insert": sorted(
                (columns, who["rowtide"][0] / who["plain"][0])
                for (_, _, _, columns, _), who in select(best, "crdt-columns").items()
            )
        },
    )
    yield (
        "Last 10 changes, ms, by tables",
        {
            "last 10": [
                (count, who["rowtide"][0] * 1e3)
                for (_, _, _, _, count), who in select(best, "crdt-tables").items()
            ]
        },
    )


def main():
    best = read_minimum(sys.stdin)
    for what in TITLES:
        print_ratios(best, what)
    print_lookups(best)
    print_promises(best)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(picture.draw(curves(best)))


main()
