"""Random schemas and edits: what differs, what is generated, what a plan does."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable

import apsw
import pytest
import rowtide
from hypothesis import assume, given
from hypothesis import strategies as st
from rowtide.schema import Schema
from schema_random import (
    edits,
    names_are_distinct,
    quote,
    rename_column,
    rename_table,
    schema_sql,
    schemas,
)

pairs = schemas().flatmap(lambda old: st.tuples(st.just(old), edits(old)))


def stored_sql(run: Callable[[str], object]) -> str:
    rows = run(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
    )
    return ";\n".join(row[0] for row in rows)


class Stdlib:
    """The SQLite of Python's own module."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)

    def script(self, sql: str) -> None:
        self.db.executescript(sql)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.db.execute(sql).fetchall()


class Apsw:
    """A newer SQLite."""

    def __init__(self) -> None:
        self.db = apsw.Connection(":memory:")

    def script(self, sql: str) -> None:
        self.db.execute(sql).fetchall()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.db.execute(sql).fetchall()


def uncomment(sql: str) -> str:
    return re.sub("^-- ", "", sql, flags=re.MULTILINE)


@given(schemas())
def test_a_schema_is_like_itself(schema):
    sql = schema_sql(schema)
    assert not Schema(sql).diff(Schema(sql), column_order=True)
    assert not Schema(Schema(sql).to_sql()).diff(Schema(sql), column_order=True)


@given(pairs)
def test_nothing_differs_exactly_if_they_are_equal(pair):
    old, new = pair
    change = Schema(schema_sql(old)).diff(Schema(schema_sql(new)), column_order=True)
    assert bool(change) == (old != new), change


@st.composite
def renamings(draw):
    """A schema, the same with new names, and the hints."""
    old = draw(schemas())
    name = draw(st.sampled_from(sorted(old)))
    column = draw(st.sampled_from([column.name for column in old[name].columns]))
    new = rename_table(old, name, "new name")
    new["new name"] = rename_column(new["new name"], column, "new column")
    # SQLite (3.54 too) cannot rename a column of such a key that is in another key.
    assume(not old[name].without_rowid or not old[name].uniques)
    return old, new, {quote(name): "new name", f'"new name".{quote(column)}': '"new column"'}


@given(renamings())
def test_a_new_name_is_all_that_differs(renaming):
    old, new, hints = renaming
    change = Schema(schema_sql(old)).diff(Schema(schema_sql(new)), renames=hints)
    assert [one.operation for one in change] == ["rename", "rename"], change


@pytest.mark.parametrize("engine", [Stdlib, Apsw])
@given(renaming=renamings(), data=st.data())
def test_new_names_and_edits_lead_there_and_back(engine, renaming, data):
    before, renamed, hints = renaming
    after = data.draw(edits(renamed))
    assume("new name" in after and names_are_distinct(after))
    assume("new column" in [column.name for column in after["new name"].columns])
    old, new = Schema(schema_sql(before)), Schema(schema_sql(after))
    change = old.diff(new, renames=hints)
    db = engine()
    db.script(schema_sql(before))
    db.script(change.up())
    db.script(change.down())
    assert not Schema(stored_sql(db.rows)).diff(old)
    db.script(uncomment(change.up()))
    assert not Schema(stored_sql(db.rows)).diff(new)
    db.script(uncomment(change.down()))
    assert not Schema(stored_sql(db.rows)).diff(old)


@given(renaming=renamings(), data=st.data())
def test_a_plan_leads_there_by_hints(renaming, data):
    before, renamed, hints = renaming
    after = data.draw(edits(renamed))
    assume("new name" in after and names_are_distinct(after))
    assume("new column" in [column.name for column in after["new name"].columns])
    db = rowtide.connect(":memory:")
    db.executescript(schema_sql(before))
    plan = db.plan(Schema(schema_sql(after)), allow=("lossy", "destructive"), renames=hints)
    plan.apply()
    assert not db.schema().diff(Schema(schema_sql(after)))
    db.close()


@pytest.mark.parametrize("engine", [Stdlib, Apsw])
@given(pair=pairs)
def test_the_active_part_leads_there_and_back(engine, pair):
    old, new = map(schema_sql, pair)
    change = Schema(old).diff(Schema(new))
    db = engine()
    db.script(old)
    for _ in range(2):
        db.script(change.up())
        db.script(change.down())
        assert not Schema(stored_sql(db.rows)).diff(Schema(old), column_order=True)


@pytest.mark.parametrize("engine", [Stdlib, Apsw])
@given(pair=pairs)
def test_all_of_it_leads_there_and_back(engine, pair):
    old, new = map(schema_sql, pair)
    change = Schema(old).diff(Schema(new))
    db = engine()
    db.script(old)
    for _ in range(2):
        db.script(uncomment(change.up()))
        assert not Schema(stored_sql(db.rows)).diff(Schema(new))
        db.script(uncomment(change.down()))
        assert not Schema(stored_sql(db.rows)).diff(Schema(old))


@given(pairs)
def test_a_plan_leads_there(pair):
    old, new = map(schema_sql, pair)
    db = rowtide.connect(":memory:")
    db.executescript(old)
    db.plan(Schema(new), allow=("lossy", "destructive")).apply()
    assert not db.schema().diff(Schema(new))
    assert not db.plan(Schema(new), allow=())
    db.close()


def fill(db, schema):
    """Put one row into each table, if it takes it."""
    for name, table in schema.items():
        stored = [column.name for column in table.columns if column.generated is None]
        names = ", ".join(map(quote, stored))
        values = ", ".join(str(7 + place) for place in range(len(stored)))
        with contextlib.suppress(rowtide.Error, sqlite3.Error):  # STRICT has its types
            db.execute(f"INSERT INTO {quote(name)} ({names}) VALUES ({values})")
    db.commit()


def kept(old, new):
    """Queries of what no change of the schema may touch."""
    for name, table in old.items():
        if name not in new or new[name].strict != table.strict:
            continue
        types = {
            column.name: column.type for column in new[name].columns if column.generated is None
        }
        same = [
            quote(column.name)
            for column in table.columns
            if column.generated is None and types.get(column.name) == column.type
        ]
        if same:
            yield f"SELECT {', '.join(same)} FROM {quote(name)}"


@given(pairs)
def test_rows_survive_a_plan(pair):
    old, new = pair
    db = rowtide.connect(":memory:")
    db.executescript(schema_sql(old))
    fill(db, old)
    before = {query: list(db.execute(query)) for query in kept(old, new)}
    plan = db.plan(Schema(schema_sql(new)), allow=("lossy", "destructive"))
    try:
        plan.apply()
        expected = new
    except rowtide.ConstraintError:  # the row is in the way
        expected = old
    assert not db.schema().diff(Schema(schema_sql(expected)))
    assert {query: list(db.execute(query)) for query in before} == before
    db.close()
