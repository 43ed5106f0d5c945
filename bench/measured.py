"""Reads the CSV that the programs of the benchmarks print."""

import csv
from collections import defaultdict


def read_minimum(lines):
    best = defaultdict(dict)
    for what, op, key, columns, rows, who, seconds, size in csv.reader(lines):
        case = (what, op, key, int(columns), int(rows))
        old = best[case].get(who, (float("inf"), 0))
        best[case][who] = min(old, (float(seconds), int(size)))
    return best
