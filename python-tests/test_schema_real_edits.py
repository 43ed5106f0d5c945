"""Random edits of schemas that nobody here wrote: a plan and generated SQL lead there,
and generated SQL leads back."""

from __future__ import annotations

import re
import sqlite3

import apsw
import pytest
import rowtide
from hypothesis import given, settings
from hypothesis import strategies as st
from rowtide.schema import Schema
from test_schema_real import REAL


@pytest.fixture(scope="module", params=REAL)
def schema(request, tmp_path_factory):
    return REAL[request.param](tmp_path_factory.mktemp(request.param))


def uncomment(sql):
    return re.sub("^-- ", "", sql, flags=re.MULTILINE)


def run_python():
    db = sqlite3.connect(":memory:", isolation_level=None)
    return db.executescript, lambda query: db.execute(query).fetchall()


def run_apsw():
    db = apsw.Connection(":memory:")
    return (lambda sql: db.execute(sql).fetchall(),) * 2


ENGINES = [run_python, run_apsw]


STORED = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"


def stored(rows):
    return Schema(";\n".join(sql for (sql,) in rows(STORED)))


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def edit_column(column, how):
    """Another definition of a column, or None."""
    if how == "type" and column.type:
        other = "TEXT" if column.affinity != "text" else "BLOB"
        return re.sub(re.escape(column.type), other, column.sql, count=1, flags=re.IGNORECASE)
    if how == "not null" and column.not_null:
        return re.sub(r"\bNOT\s+NULL\b", "", column.sql, flags=re.IGNORECASE)
    if how == "not null":
        return f"{column.sql} NOT NULL"
    if how == "check":
        return f"{column.sql} CHECK ({quote(column.name)} <> 'never')"
    if how == "more":
        return f"{column.sql}, more_of_it TEXT NOT NULL DEFAULT 'm'"
    return None


@st.composite
def edits(draw, schema):
    sql = schema.to_sql()
    for _ in range(draw(st.integers(1, 3))):
        tables = [table for table in Schema(sql).tables if table.kind == "ordinary"]
        table = draw(st.sampled_from(tables))
        column = draw(st.sampled_from(list(table.columns)))
        how = draw(
            st.sampled_from(["type", "not null", "check", "more", "index", "less", "trigger"])
        )
        if how == "index":
            name = quote(f"new {table.name} {column.name}")
            sql += f"CREATE INDEX {name} ON {quote(table.name)} ({quote(column.name)});\n"
        elif how == "less" and table.indexes:
            index = draw(st.sampled_from(list(table.indexes)))
            sql = sql.replace(index.sql, "")
        elif how == "trigger" and table.triggers:
            trigger = draw(st.sampled_from(list(table.triggers)))
            sql = sql.replace(trigger.sql, "")
        else:
            new = edit_column(column, how)
            if new and "more_of_it" not in table.columns:
                sql = sql.replace(table.sql, table.sql.replace(column.sql, new, 1), 1)
        try:
            Schema(sql)
        except rowtide.Error:  # such as two indexes of one name
            return schema.to_sql()
    return sql


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=2)  # SQLite takes half a second to drop a column of proj
@given(data=st.data())
def test_generated_sql_leads_there_and_back(schema, engine, data):
    new = Schema(data.draw(edits(schema)))
    change = schema.diff(new)
    run, rows = engine()
    run(schema.to_sql())
    run(change.up())
    run(change.down())
    assert not stored(rows).diff(schema)
    for _ in range(2):
        run(uncomment(change.up()))
        assert not stored(rows).diff(new)
        run(uncomment(change.down()))
        assert not stored(rows).diff(schema)


@settings(max_examples=10)
@given(data=st.data())
def test_a_plan_leads_there(schema, data):
    new = Schema(data.draw(edits(schema)))
    db = rowtide.connect(":memory:")
    db.executescript(schema.to_sql())
    try:
        db.plan(new, allow=("lossy", "destructive")).apply()
    except rowtide.SchemaError as error:
        # A trigger of proj that inserts without naming columns, and one more of these.
        assert "would not work any more" in str(error)
        new = schema
    assert not db.schema().diff(new)
    db.close()
