"""Schemas, files and callers that mean no good, or are merely large."""

from __future__ import annotations

import time

from rowtide.schema import Schema

MANY = 1900


def wide(definition):
    return f"CREATE TABLE t({', '.join(definition.format(i) for i in range(MANY))})"


def test_all_of_very_many_columns_change(make):
    db = make(wide("c{0} TEXT CHECK (c{0} <> 'no')"))
    new = Schema(wide("c{0} INTEGER CHECK (c{0} <> 'no')"))
    begun = time.process_time()
    plan = db.plan(new, allow="lossy")
    assert time.process_time() - begun < 60, "it was a matter of many minutes"
    assert [step.method for step in plan] == ["rebuild"]
    plan.apply()
    assert db.schema() == new
