"""What differs between schemas, seen from Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import rowtide
import schema_traps
from rowtide.schema import Schema, belongs_to, column, many_to_many, table


def lines(change):
    return [str(one) for one in change]


def test_a_change_says_what_and_why():
    change = Schema("CREATE TABLE t(a TEXT)").diff("CREATE TABLE t(a INT, b)")
    assert lines(change) == [
        "change column t.a, type: another affinity: values may be converted",
        "add column t.b: a new column, NULL in the rows that are there",
    ]
    assert (change[0].from_, change[0].to, change[0].effect) == ("TEXT", "INT", "lossy")
    assert not change[0].unknown


def test_names_change_by_hints():
    old, new = Schema("CREATE TABLE a(x)"), Schema('CREATE TABLE "b.c"(y)')
    assert [one.operation for one in old.diff(new)] == ["add", "remove"]
    hints = {"a": '"b.c"', '"b.c".x': "y"}
    assert [one.operation for one in old.diff(new, renames=hints)] == ["rename", "rename"]
    with pytest.raises(rowtide.NotFoundError, match="nothing"):
        old.diff(new, renames={"nothing": "b"})


def test_what_the_model_does_not_declare_can_be_left_out():
    old = Schema("CREATE TABLE t(a, b); CREATE TABLE other(a); CREATE VIEW v AS SELECT 1")
    model = Schema("CREATE TABLE t(a)")
    assert len(old.diff(model)) == 3
    assert [one.name for one in old.diff(model, undeclared="ignore")] == ["b"]


def test_the_order_of_columns_counts_if_asked_for():
    old, new = Schema("CREATE TABLE t(a, b)"), Schema("CREATE TABLE t(b, a)")
    assert not old.diff(new)
    assert [one.aspect for one in old.diff(new, column_order=True)] == ["order"]


@table(strict=True)
@dataclass
class User:
    id: int
    email: Annotated[str, column(unique=True, collation="NOCASE")]
    gone: Annotated[str | None, column(soft_delete=True)] = None


@table(belongs_to(User, on_delete="CASCADE"), many_to_many("tags"))
@dataclass
class Post:
    id: int
    title: Annotated[str, column(check="title <> ''")] = "none"
    shout: Annotated[str | None, column(generated_as="upper(title)")] = None


@dataclass
class Tag:
    id: int


@pytest.mark.parametrize("foreign_keys", [False, True])
def test_a_model_is_like_its_own_tables(make, foreign_keys):
    db = make("")
    model = Schema(User, Post, Tag)
    db.auto_migrate(model, foreign_keys=foreign_keys)
    assert ("REFERENCES" in db.schema().to_sql()) == foreign_keys
    assert not db.schema().diff(model)
    assert not model.diff(db.schema())
    assert not model.diff(model)


def test_the_table_with_every_trap_is_like_itself(tmp_path):
    schema_traps.make(str(tmp_path / "a.db")).close()
    db = rowtide.connect(tmp_path / "a.db")
    sql = schema_traps.SQL.read_text(encoding="utf-8")
    assert not db.schema().diff(sql, column_order=True)
    assert not Schema(sql).diff(db.schema(), column_order=True)
    db.close()
