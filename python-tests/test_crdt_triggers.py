"""Triggers of the application that fire while a merge writes.

What they write to other rows of tables that take part is a change of this
database, as it is when the application writes; the rows that the merge writes
are not, or they would come back as an echo.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from crdt_peer import Database, SqlError, Value, changes, opened, sync
from crdt_peer.database import one
from crdt_peer.exchange import COLUMNS, MERGE, pull, site_id
from crdt_peer.histories import bounded
from hypothesis import given
from hypothesis import strategies as st

SITE = b"\x11" * 16
TABLES = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b, upper)",
    "CREATE TABLE audit (id TEXT PRIMARY KEY NOT NULL, a, n DEFAULT 0)",
]
TRIGGERS = {
    "insert": "CREATE TRIGGER i AFTER INSERT ON t BEGIN"
    " INSERT INTO audit (id, a) VALUES ('i' || new.id, new.a)"
    " ON CONFLICT DO UPDATE SET n = n + 1; END",
    "update": "CREATE TRIGGER u AFTER UPDATE ON t BEGIN"
    " INSERT INTO audit (id, a) VALUES ('u' || new.id, new.a)"
    " ON CONFLICT DO UPDATE SET a = excluded.a; END",
    "delete": "CREATE TRIGGER d AFTER DELETE ON t BEGIN"
    " DELETE FROM audit WHERE id = 'i' || old.id; END",
    "same table": "CREATE TRIGGER s AFTER INSERT ON t WHEN new.id < 10 BEGIN"
    " INSERT OR IGNORE INTO t (id, a) VALUES (new.id + 10, 'made'); END",
    "same row": "CREATE TRIGGER r AFTER UPDATE OF a ON t BEGIN"
    " UPDATE t SET upper = upper(new.a) WHERE id = new.id; END",
    "before": "CREATE TRIGGER b BEFORE INSERT ON t BEGIN"
    " INSERT INTO audit (id) VALUES ('b' || new.id) ON CONFLICT DO NOTHING; END",
}


@contextlib.contextmanager
def peers(count: int, *triggers: str) -> Iterator[list[Database]]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(opened("ours")) for _ in range(count)]
        for db in made:
            for sql in TABLES:
                db.run(sql)
                db.run("SELECT crsql_as_crr(?1)", sql.split()[2])
            for sql in triggers:
                db.run(sql)
        yield made


def change(cid: str = "a", val: Value = 1, version: int = 1, cl: int = 1) -> tuple[Value, ...]:
    return ("t", b"\x01\x09\x01", cid, val, version, 1, SITE, cl, 0)


def own(db: Database) -> list[tuple[Value, ...]]:
    found = changes(db, "site_id = crsql_site_id()")
    return [(row.table, row.cid, row.val) for row in found]


@pytest.mark.parametrize("how", ["rows", "select"])
def test_what_a_trigger_writes_is_a_change_of_ours(how: str) -> None:
    """Elsewhere it is never sent: the peer would have to have the same trigger."""
    with peers(2, TRIGGERS["insert"]) as (db, other):
        other.run("DROP TRIGGER i")
        if how == "rows":
            db.run(MERGE, *change())
        else:
            made = "('t', x'010901', '{}', 1, 1, 1, x'11', 1, 0)"
            db.run(f"INSERT INTO crsql_changes VALUES {made.format('a')}, {made.format('b')}")
        assert own(db) == [("audit", "a", 1), ("audit", "n", 0)]
        assert one(db, "SELECT crsql_internal_sync_bit()") == 0
        pull(db, other)
        assert other.run("SELECT id, a FROM audit") == [("i1", 1)]
        assert other.run("SELECT id, a FROM t") == [(1, 1)]


@pytest.mark.parametrize("kind", ["", "TEMP"])
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_trigger_that_is_new(kind: str, in_transaction: bool) -> None:
    with peers(1) as (db,):
        if in_transaction:
            db.run("BEGIN")
        db.run(MERGE, *change())
        db.run(MERGE, *change("a", 2, 2))
        db.run(f"CREATE {kind} TRIGGER u AFTER UPDATE ON t BEGIN"
               " INSERT INTO audit (id) VALUES (new.a); END")  # fmt: skip
        db.run(MERGE, *change("a", 3, 3))
        db.run(MERGE, *change("a", 4, 4))
        assert [row[1] for row in own(db)] == ["a", "n", "a", "n"]
        db.run("DROP TRIGGER u")
        db.run(MERGE, *change("a", 5, 5))
        assert len(own(db)) == 4


def test_the_bit_is_still_set() -> None:
    quiet = TRIGGERS["insert"].replace(" BEGIN", " WHEN crsql_internal_sync_bit() = 0 BEGIN", 1)
    with peers(1, quiet) as (db,):
        db.run(MERGE, *change())
        assert own(db) == [] == db.run("SELECT * FROM audit")
        db.run("INSERT INTO t (id) VALUES (2)")
        assert len(db.run("SELECT * FROM audit")) == 1


def test_other_rows_of_the_same_table() -> None:
    with peers(2, TRIGGERS["same table"]) as (db, other):
        other.run("DROP TRIGGER s")
        db.run(MERGE, *change())
        assert own(db) == [("t", "a", "made"), ("t", "b", None), ("t", "upper", None)]
        pull(db, other)
        assert other.run("SELECT id, a FROM t ORDER BY id") == [(1, 1), (11, "made")]


def test_other_cells_of_the_same_row() -> None:
    """What was merged is not told again, what the trigger made of it is."""
    with peers(2, TRIGGERS["same row"]) as (db, other):
        other.run("DROP TRIGGER r; INSERT INTO t (id, a) VALUES (1, 'x')")
        pull(other, db)
        assert own(db) == []
        other.run("UPDATE t SET a = 'abc'")
        pull(other, db)
        assert own(db) == [("t", "upper", "ABC")]
        pull(db, other)
        assert other.run("SELECT a, upper FROM t") == [("abc", "ABC")]


def test_a_cascade() -> None:
    with peers(2, TRIGGERS["insert"], TRIGGERS["delete"]) as (db, other):
        other.run("DROP TRIGGER i; DROP TRIGGER d")
        db.run(MERGE, *change())
        sync(db, other)
        assert len(other.run("SELECT * FROM audit")) == 1
        db.run(MERGE, *change("-1", None, 2, cl=2))
        sync(db, other)
        assert other.run("SELECT * FROM audit") == [] == db.run("SELECT * FROM audit")


def test_a_trigger_that_removes_the_row() -> None:
    """As if the application had: peers learn of it."""
    remove = "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = new.id; END"
    with peers(2, remove) as (db, other):
        other.run("DROP TRIGGER x; INSERT INTO t VALUES (1, 2, 3, 4)")
        pull(other, db)
        assert db.run("SELECT * FROM t") == []
        assert own(db) == [("t", "-1", None)]
        sync(db, other)
        assert other.run("SELECT * FROM t") == []


def test_a_trigger_that_brings_the_row_back() -> None:
    keep = ("CREATE TRIGGER x AFTER DELETE ON t BEGIN"
            " INSERT INTO t VALUES (old.id, 'kept', old.b, old.upper); END")  # fmt: skip
    with peers(2, keep) as (db, other):
        other.run("DROP TRIGGER x; INSERT INTO t VALUES (1, 2, 3, 4)")
        sync(db, other)
        other.run("DELETE FROM t")
        pull(other, db)
        assert db.run("SELECT * FROM t") == [(1, "kept", 3, 4)]
        sync(db, other)
        assert other.run("SELECT * FROM t") == [(1, "kept", 3, 4)]


def test_a_trigger_that_changes_the_key_is_refused() -> None:
    move = "CREATE TRIGGER x AFTER INSERT ON t BEGIN UPDATE t SET id = 7; END"
    with peers(1, move) as (db,):
        with pytest.raises(SqlError) as caught:
            db.run(MERGE, *change())
        assert "changes the key" in caught.value.message
        assert db.run("SELECT * FROM t") == [] == changes(db)


@pytest.mark.parametrize("event", ["INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("in_transaction", [False, True])
def test_a_trigger_that_ignores_is_a_failure(event: str, in_transaction: bool) -> None:
    """Elsewhere a clock stays behind without its row, or the row without its clock."""
    with peers(1) as (db,):
        if event != "INSERT":
            db.run(MERGE, *change())
        db.run(f"CREATE TRIGGER x BEFORE {event} ON t BEGIN SELECT raise(IGNORE); END")
        before = changes(db), db.run("SELECT * FROM t")
        if in_transaction:
            db.run("BEGIN")
        bad = {
            "INSERT": change(),
            "UPDATE": change("b", 5),
            "DELETE": change("-1", None, 2, cl=2),
        }[event]
        with pytest.raises(SqlError) as caught:
            db.run(MERGE, *bad)
        assert "RAISE(IGNORE)" in caught.value.message and '"t"' in caught.value.message
        assert (changes(db), db.run("SELECT * FROM t")) == before
        db.run("DROP TRIGGER x")
        db.run(MERGE, *bad)
        assert (changes(db), db.run("SELECT * FROM t")) != before


def test_a_failure_takes_back_what_triggers_wrote() -> None:
    fail = "CREATE TRIGGER x AFTER INSERT ON audit BEGIN SELECT raise(ABORT, 'no'); END"
    with peers(1, TRIGGERS["insert"], fail) as (db,):
        db.run("BEGIN; INSERT INTO t (id) SELECT 5 WHERE 0")
        with pytest.raises(SqlError):
            db.run(MERGE, *change())
        db.run("COMMIT")
        assert changes(db) == [] == db.run("SELECT * FROM t")


@pytest.mark.parametrize(("of", "stamp"), [("OF a", "random()"), ("", "coalesce(b, 0) + 1")])
def test_peers_do_not_answer_each_other_for_ever(of: str, stamp: str) -> None:
    """A trigger that never gives the same value twice, as one that sets a time."""
    stamp = (f"CREATE TRIGGER x AFTER UPDATE {of} ON t BEGIN"
             f" UPDATE t SET b = {stamp} WHERE id = new.id; END")  # fmt: skip
    with peers(2, stamp) as (db, other):
        db.run("INSERT INTO t (id) VALUES (1)")
        sync(db, other)
        db.run("UPDATE t SET a = 5")
        for _ in range(2):
            sync(db, other)
        before = [
            (one(each, "SELECT crsql_db_version()"), changes(each)) for each in (db, other)
        ]
        sync(db, other)
        after = [
            (one(each, "SELECT crsql_db_version()"), changes(each)) for each in (db, other)
        ]
        assert [version for version, _ in before] == [version for version, _ in after]
        if of:
            assert before == after and db.run("SELECT * FROM t") == other.run("SELECT * FROM t")


# Peers that all have the same triggers

events = st.tuples(
    st.integers(0, 2),
    st.sampled_from(
        [
            "INSERT OR IGNORE INTO t (id, a) VALUES (?1, ?2)",
            "REPLACE INTO t (id, a) VALUES (?1, ?2)",
            "UPDATE t SET a = ?2 WHERE id = ?1",
            "UPDATE t SET b = ?2 WHERE id = ?1",
            "DELETE FROM t WHERE id = ?1",
            "UPDATE audit SET n = ?2 WHERE id = 'i' || ?1",
            "pull",
            "pull",
            "select",
        ]
    ),
    st.integers(1, 3),
    st.sampled_from(["x", "y", "z"]),
)
CONVERGING = ["insert", "update", "delete", "same table", "same row", "before"]


def pull_all(source: Database, target: Database) -> None:
    """The same as `pull`, in one statement."""
    target.run(f"CREATE TEMP TABLE inbox (n INTEGER PRIMARY KEY, {COLUMNS})")
    fill = f"INSERT INTO inbox ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    for row in changes(source, "site_id IS NOT ?1", site_id(target)):
        target.run(fill, *row)
    target.run(f"INSERT INTO crsql_changes SELECT {COLUMNS} FROM inbox ORDER BY n")
    target.run("DROP TABLE inbox")


def contents(db: Database) -> list[object]:
    return [
        db.run("SELECT * FROM t ORDER BY id"),
        db.run("SELECT * FROM audit ORDER BY id"),
        sorted(
            (row.table, row.pk, row.cid, row.col_version, row.cl)
            for row in changes(db)
            if row.cid != "-1" or row.cl > 1
        ),
    ]


@bounded(120)
@given(
    st.lists(st.sampled_from(CONVERGING), min_size=1, max_size=4, unique=True),
    st.lists(events, min_size=1, max_size=12),
)
def test_peers_with_the_same_triggers_converge(
    triggers: list[str], history: list[tuple[int, str, int, str]]
) -> None:
    with peers(3, *[TRIGGERS[name] for name in triggers]) as made:
        for actor, what, number, text in history:
            if what in ("pull", "select"):
                take = pull if what == "pull" else pull_all
                take(made[(actor + number) % 3], made[actor])
            else:
                values: list[Value] = [number, text]
                made[actor].run(what, *values[: 1 + what.count("?2")])
        for _ in range(3):
            sync(*made)
        first, *others = made
        for other in others:
            assert contents(other) == contents(first)
        versions = [one(db, "SELECT crsql_db_version()") for db in made]
        sync(*made)
        assert versions == [one(db, "SELECT crsql_db_version()") for db in made]
        for db in made:
            alive = {row.pk for row in changes(db, "[table] = 't' AND cl % 2 = 1")}
            assert len(alive) == one(db, "SELECT count(*) FROM t")
