"""Whatever is asked of crsql_changes, the answer is that of a plain table."""

from __future__ import annotations

from crdt_peer import Database, Row, Value, apply, opened, ours
from crdt_peer.histories import (
    SITES,
    TABLES,
    Forged,
    Transaction,
    bounded,
    forged,
    perform,
    transactions,
)
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = ["[table]", "pk", "cid", "val", "col_version", "db_version", "site_id", "cl", "seq"]

numbers: st.SearchStrategy[Value] = st.integers(-1, 9) | st.sampled_from(
    [2.5, "3", None, 2**63 - 1]
)
OPERANDS: dict[str, st.SearchStrategy[Value]] = {
    "[table]": st.sampled_from(["t", "u", "T", "x", None]),
    "pk": st.sampled_from([b"\x01\x09\x01", b"\x01\x09\x03", b"\x01\x04", b"", None, "x"]),
    "cid": st.sampled_from(["a", "-1", "v", "A", 1, None]),
    "col_version": numbers,
    "db_version": numbers,
    "site_id": st.sampled_from([*SITES, b"", "x"]),
    "cl": numbers,
    "seq": numbers,
}
OPERATORS = ["=", "=", ">", ">=", "<", "<=", "!=", "IS", "IS NOT"]


@st.composite
def terms(draw: st.DrawFn) -> tuple[str, Value]:
    column = draw(st.sampled_from(list(OPERANDS)))
    operator = draw(st.sampled_from(OPERATORS))
    return f"{column} {operator} ?", draw(OPERANDS[column])


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, list[Value], list[str]]:
    """A WHERE with its values, and the terms of an ORDER BY that leaves no ties."""
    found = draw(st.lists(terms(), max_size=3))
    joint = draw(st.sampled_from([" AND ", " AND ", " AND ", " OR "]))
    where = joint.join(text for text, _ in found) or "1"
    first = draw(st.lists(st.sampled_from(COLUMNS), max_size=3, unique=True))
    order = [f"{name}{draw(st.sampled_from(['', ' DESC']))}" for name in first]
    return where, [value for _, value in found], order


def ask(
    db: Database, source: str, query: tuple[str, list[Value], list[str]], limit: int
) -> list[Row]:
    where, operands, order = query
    everything = ", ".join([*order, *COLUMNS])
    return db.run(
        f"SELECT {', '.join(COLUMNS)} FROM {source} WHERE {where} "
        f"ORDER BY {everything} LIMIT {limit} OFFSET {limit % 3}",
        *operands,
    )


def default_order(db: Database, source: str, where: str, tail: str) -> list[Row]:
    return db.run(f"SELECT db_version, seq FROM {source} WHERE {where} {tail}")


@bounded(60)
@given(
    st.lists(
        st.lists(forged(), min_size=1, max_size=8) | transactions(moves=True),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.tuples(queries(), st.integers(-1, 5)), min_size=5, max_size=5),
)
def test_answers_are_those_of_a_plain_table(
    history: list[list[Forged] | Transaction],
    asked: list[tuple[tuple[str, list[Value], list[str]], int]],
) -> None:
    with opened("ours") as db:
        for table in TABLES:
            table.create(db)
        for event in history:
            if isinstance(event, Transaction):
                perform(db, event)
            else:
                apply(db, [change.made(db) for change in event])
        # The declared types make the same of what a column is compared with.
        db.run(
            "CREATE TEMP TABLE plain ([table] TEXT, pk BLOB, cid TEXT, val BLOB, "
            "col_version INTEGER, db_version INTEGER, site_id BLOB, cl INTEGER, seq INTEGER)"
        )
        db.run(f"INSERT INTO plain SELECT {', '.join(COLUMNS)} FROM crsql_changes")
        for query, limit in asked:
            assert ask(db, "crsql_changes", query, limit) == ask(db, "plain", query, limit)
        for version in range(4):
            for tail in ("", "LIMIT 2", "LIMIT 3 OFFSET 1"):
                where = f"db_version > {version}"
                found = default_order(db, "crsql_changes", where, tail)
                order = "ORDER BY db_version, seq"
                assert found == default_order(db, "plain", where, f"{order} {tail}")


def test_two_readers_and_more_sites_than_are_remembered() -> None:
    """A reader that goes on must not change what another one stands at."""
    with opened("ours") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('t')")
        for i in range(1, 200):
            row = (bytes([1, 9, i]) if i < 128 else bytes([1, 17, 0, i]), bytes([i]) * 16)
            db.run("INSERT INTO crsql_changes VALUES ('t', ?1, 'a', 1, 1, 1, ?2, 1, 0)", *row)
        db.run("CREATE TEMP TABLE plain AS SELECT pk, site_id FROM crsql_changes")
        join = (
            "SELECT c.pk, d.pk, c.site_id, d.site_id FROM {0} c CROSS JOIN {0} d "
            "WHERE c.pk <= x'010909' AND c.pk < d.pk ORDER BY c.pk, d.pk"
        )
        assert db.run(join.format("crsql_changes")) == db.run(join.format("plain"))


def test_an_alteration_while_it_is_read() -> None:
    """A change that was read has its names still."""
    db = ours()
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, some_column)")
    db.run("SELECT crsql_as_crr('t'); INSERT INTO t VALUES (1, 1)")
    cursor = db.native.execute(
        "SELECT c.[table], c.cid FROM crsql_changes c CROSS JOIN (VALUES (1), (2), (3))"
    )
    found = [next(cursor)]
    db.run("SELECT crsql_begin_alter('t'); ALTER TABLE t ADD COLUMN another_column")
    db.run("SELECT crsql_commit_alter('t')")
    found += list(cursor)
    assert found == [("t", "some_column")] * 3
    db.close()


def test_a_column_that_is_dropped_while_it_is_read() -> None:
    """Values are those of the column that the change names."""
    db = ours()
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b, c)")
    db.run("SELECT crsql_as_crr('t'); INSERT INTO t VALUES (1, 'a', 'b', 'c')")
    cursor = db.native.execute(
        "SELECT c.cid, c.val FROM crsql_changes c CROSS JOIN (VALUES (1), (2), (3)) "
        "WHERE c.cid = 'b'"
    )
    found = [next(cursor)]
    db.run("SELECT crsql_begin_alter('t'); ALTER TABLE t DROP COLUMN a")
    db.run("SELECT crsql_commit_alter('t')")
    found += list(cursor)
    assert found == [("b", "b")] * 3
    db.close()
