"""Whatever classes say: made, made again, changed, and brought there by a plan."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import rowtide
from hypothesis import given
from hypothesis import strategies as st
from rowtide.schema import Schema, belongs_to, check, column, index, many_to_many, table

NAMES = ["a", "b", "size", "Select", "two words", 'a "quote"', "ü"]
TABLES = ["items", "Order", "the table", "x"]
DEFAULTS = {
    int: [0, -7], str: ["", "it's", "x"], float: [0.5], bytes: [b"\0"],
    datetime.date: [datetime.date(2020, 1, 2)],
}  # fmt: skip


@st.composite
def fields(draw: st.DrawFn) -> dict[str, tuple[Any, Any]]:
    """Names of columns, with annotation and default."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique_by=str.lower, max_size=4)):
        kind = draw(st.sampled_from(list(DEFAULTS)))
        options: dict[str, Any] = {"name": name}
        if draw(st.booleans()):
            options["unique"] = draw(st.booleans())
            options["indexed"] = draw(st.booleans())
            options["collation"] = draw(st.sampled_from([None, "NOCASE"]))
        default = draw(st.sampled_from([..., *DEFAULTS[kind]]))
        if draw(st.booleans()):
            kind, default = kind | None, draw(st.sampled_from([..., None, default]))
        found[f"f{NAMES.index(name)}"] = (Annotated[kind, column(**options)], default)
    return found


@st.composite
def classes(draw: st.DrawFn) -> tuple[type, ...]:
    """Classes, each of which is a table."""
    models = []
    names = draw(st.lists(st.sampled_from(TABLES), unique=True, min_size=1, max_size=3))
    for name in names:
        columns = draw(fields())
        parts: list[Any] = []
        called = [NAMES[int(field[1:])] for field in columns]
        if called and draw(st.booleans()):
            parts.append(index(*called[:2], unique=draw(st.booleans()), where="id > 0"))
        if draw(st.booleans()):
            parts.append(check("id <> 5", name=draw(st.sampled_from([None, "five"]))))
        if draw(st.booleans()):
            parts.append(belongs_to(draw(st.sampled_from(names)), column="owner",
                                    foreign_key=draw(st.booleans())))  # fmt: skip
        if draw(st.booleans()):
            other = draw(st.sampled_from(names))
            parts.append(many_to_many(other, through=f"{name} and {other}"))
        body: dict[str, Any] = {"__annotations__": {"id": int}}
        for field, (hint, default) in columns.items():
            body["__annotations__"][field] = hint
            if default is not ...:
                body[field] = default
        if draw(st.booleans()):
            body["__annotations__"]["gone"] = Annotated[str | None, column(soft_delete=True)]
        strict, bare = draw(st.booleans()), draw(st.booleans())
        models.append(
            table(*parts, name=name, strict=strict, without_rowid=bare)(type("M", (), body))
        )
    return tuple(models)


def fresh(*models: type, foreign_keys: bool = False) -> rowtide.Database:
    db = rowtide.open(":memory:")
    report = db.auto_migrate(*models, foreign_keys=foreign_keys)
    assert not report.refused
    return db


@given(classes(), st.booleans())
def test_a_model_and_what_is_made_of_it_are_the_same(models, foreign_keys):
    model = Schema(*models)
    db = fresh(*models, foreign_keys=foreign_keys)
    assert not db.auto_migrate(*models, foreign_keys=foreign_keys)
    assert not db.auto_migrate(*models)
    if not foreign_keys:
        assert db.schema() == model
        assert not model.diff(db.schema()) and not db.schema().diff(model)
        assert not db.plan(*models)
    assert Schema(db.schema().to_sql()) == db.schema()
    assert Schema(db.schema().to_sql()).to_json() == db.schema().to_json()
    db.close()


@given(classes(), classes())
def test_adding_to_a_model_takes_nothing_away(before, after):
    db = fresh(*before)
    old = db.schema()
    db.auto_migrate(*after)
    assert {change.operation for change in old.diff(db.schema())} <= {"add"}
    assert not db.auto_migrate(*after).done, "the second time there is nothing left"
    db.close()


@given(classes(), classes())
def test_a_plan_leads_from_any_model_to_any_other(before, after):
    db = fresh(*before)
    for name in db.schema().tables.names:
        quoted = name.replace('"', '""')
        if "id" in db.schema().tables[name].columns:
            db.executescript(f'INSERT OR IGNORE INTO "{quoted}" (id) VALUES (1)')
    plan = db.plan(*after, allow={"lossy", "destructive"})
    assert not plan.refused
    if not any(finding.fatal for finding in plan.preflight()):
        plan.apply()
        assert db.schema() == Schema(*after)
        assert not db.plan(*after)
    assert not db.in_transaction
    db.close()
