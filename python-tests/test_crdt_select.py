"""Many changes in one statement: INSERT INTO crsql_changes SELECT.

The cells of a row are written together then. Nothing else may be seen of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from crdt_peer import Database, SqlError, Value, changes, opened
from crdt_peer.database import one
from crdt_peer.exchange import COLUMNS, MERGE, site_id
from crdt_peer.histories import TABLES, Forged, bounded, contents, forged
from hypothesis import given
from hypothesis import strategies as st

SELECT = f"INSERT INTO crsql_changes ({COLUMNS}) SELECT {COLUMNS} FROM inbox ORDER BY n"
SITE = b"\x11" * 16
Values = tuple[Value, ...]


@pytest.fixture
def db() -> Iterator[Database]:
    with opened("ours") as db:
        db.run(
            "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b, c NOT NULL DEFAULT 0, d)"
        )
        db.run("SELECT crsql_as_crr('t')")
        yield db


def change(row: int, cid: str, val: Value) -> Values:
    seq = row * 4 + "abcd".find(cid)
    return ("t", b"\x01\x09" + bytes([row]), cid, val, 1, 1, SITE, 1, seq)


def rows(first: int, last: int, cells: str = "abcd") -> list[Values]:
    return [change(n, cid, n * 10) for n in range(first, last + 1) for cid in cells]


def literal(value: Value) -> str:
    return f"x'{value.hex()}'" if isinstance(value, bytes) else repr(value)


def literals(incoming: Sequence[Values]) -> str:
    return ", ".join(f"({', '.join(map(literal, row))})" for row in incoming)


def receive(db: Database, incoming: Sequence[Values]) -> None:
    db.run(f"CREATE TEMP TABLE IF NOT EXISTS inbox (n INTEGER PRIMARY KEY, {COLUMNS})")
    db.run("DELETE FROM inbox")
    fill = f"INSERT INTO inbox ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    for row in incoming:
        db.run(fill, *row)


def refusal(db: Database, sql: str) -> SqlError:
    with pytest.raises(SqlError) as caught:
        db.run(sql)
    return caught.value


def count(db: Database) -> int:
    value = one(db, "SELECT total_changes()")
    assert isinstance(value, int)
    return value


SOURCES = {
    "table": SELECT,
    "with": f"WITH c AS (SELECT * FROM inbox) INSERT INTO main.crsql_changes SELECT {COLUMNS} "
    "FROM c ORDER BY n",
    "values": "INSERT /* INTO t */ OR ABORT INTO [crsql_changes] VALUES "
    + literals(rows(1, 40)),
    "json": f"INSERT INTO crsql_changes ({COLUMNS}) SELECT 't', x'0109' || CAST(char(value) AS "
    "BLOB), 'a', value * 10, 1, 1, x'11', 1, 0 FROM json_each('[1,2,3]')",
}


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize("source", ["table", "with", "values"])
def test_cells_of_a_row_are_written_together(
    db: Database, source: str, in_transaction: bool
) -> None:
    receive(db, rows(1, 40))
    if in_transaction:
        db.run("BEGIN")
    before = count(db)
    db.run(SOURCES[source])
    assert one(db, "SELECT changes()") == 160
    # One write for each row, and some for the log.
    assert count(db) - before < 160 + 50
    assert db.run("SELECT id, a, b, c, d FROM t") == [
        (n, n * 10, n * 10, n * 10, n * 10) for n in range(1, 41)
    ]
    assert one(db, "SELECT crsql_rows_impacted()") == (160 if in_transaction else 0)


def test_from_json(db: Database) -> None:
    db.run(SOURCES["json"])
    assert db.run("SELECT id, a FROM t") == [(1, 10), (2, 20), (3, 30)]


def test_from_an_attached_database(db: Database) -> None:
    receive(db, rows(1, 3))
    db.run("ATTACH ':memory:' AS other")
    db.run("CREATE TABLE other.received AS SELECT * FROM inbox")
    db.run(f"INSERT INTO crsql_changes SELECT {COLUMNS} FROM other.received")
    assert len(changes(db)) == 12 and db.run("SELECT id FROM t") == [(1,), (2,), (3,)]


def test_single_rows_are_seen_at_once(db: Database) -> None:
    db.run("BEGIN")
    for number, row in enumerate(rows(1, 2), 1):
        db.run(MERGE, *row)
        assert one(db, "SELECT count(*) FROM crsql_changes") == number
        assert one(db, "SELECT (a IS NOT NULL) + (b IS NOT NULL) + (c != 0) + (d IS NOT NULL) "
                   "FROM t ORDER BY id DESC LIMIT 1") == (number - 1) % 4 + 1  # fmt: skip


def test_the_last_row_is_there_when_the_statement_ends(db: Database) -> None:
    receive(db, rows(1, 2))
    db.run("BEGIN; SAVEPOINT a")
    db.run(SELECT)
    assert one(db, "SELECT d FROM t WHERE id = 2") == 20
    receive(db, rows(3, 4, "ab"))
    db.run(SELECT)
    assert one(db, "SELECT b FROM t WHERE id = 4") == 40
    db.run("ROLLBACK TO a")
    assert db.run("SELECT * FROM t") == [] == changes(db)
    assert one(db, "SELECT crsql_rows_impacted()") == 0
    db.run("COMMIT")


def test_returning(db: Database) -> None:
    receive(db, rows(1, 3))
    db.run("BEGIN")
    db.run(SELECT + " RETURNING cid")
    assert one(db, "SELECT count(d) FROM t") == 3


def test_a_trigger_of_another_table_sees_what_it_merges(db: Database) -> None:
    """It may insert many changes by one statement, which does not end by itself."""
    receive(db, [])
    db.run(f"CREATE TABLE queue (n INTEGER PRIMARY KEY, {COLUMNS}); CREATE TABLE seen (d)")
    db.run(
        "CREATE TRIGGER merge AFTER INSERT ON queue WHEN new.cid = 'd' BEGIN"
        f" INSERT INTO crsql_changes SELECT {COLUMNS} FROM queue WHERE pk = new.pk;"
        " INSERT INTO seen SELECT d FROM t ORDER BY id DESC LIMIT 1; END"
    )
    fill = f"INSERT INTO queue ({COLUMNS}) VALUES " + literals(rows(1, 3))
    for sql in ("BEGIN", fill):
        db.run(sql)
    assert db.run("SELECT d FROM seen") == [(10,), (20,), (30,)]


def test_what_the_statement_reads_itself(db: Database) -> None:
    """crsql_changes shows what was merged before."""
    receive(db, rows(1, 2))
    db.run("BEGIN")
    db.run(
        f"INSERT INTO crsql_changes ({COLUMNS}) SELECT {COLUMNS} FROM inbox "
        "WHERE n = 1 + (SELECT count(*) FROM crsql_changes) ORDER BY n"
    )
    assert len(changes(db)) in (1, 8)
    assert one(db, "SELECT count(*) FROM t") == (1 if len(changes(db)) == 1 else 2)


# A change that fails


@pytest.fixture
def strict(db: Database) -> Database:
    db.run("CREATE TABLE u (id INTEGER PRIMARY KEY NOT NULL, a, b CHECK (b != 99), c)")
    db.run("SELECT crsql_as_crr('u')")
    return db


@pytest.mark.parametrize("place", [0, 5, 7])
@pytest.mark.parametrize("why", ["check", "null", "trigger", "temporary trigger", "column"])
def test_a_failure_undoes_the_statement_only(strict: Database, why: str, place: int) -> None:
    db, table = strict, "u" if why == "check" else "t"
    bad = {
        "check": change(2, "b", 99),
        "null": change(2, "c", None),
        "column": change(2, "nope", 1),
    }.get(why, change(2, "b", 98))
    incoming = rows(1, 2, "abc")
    incoming.insert(place, (*bad[:4], 2, *bad[5:]))
    column = str(bad[2])
    incoming = [(table, *row[1:]) for row in incoming]
    receive(db, rows(7, 7))
    db.run("BEGIN; INSERT INTO t VALUES (9, 1, 2, 3, 4)")
    db.run(SELECT)
    if "trigger" in why:
        kind = why.removesuffix("trigger")
        db.run(
            f"CREATE {kind} TRIGGER no BEFORE UPDATE ON main.t WHEN new.b = 98 BEGIN"
            " SELECT raise(ABORT, 'not 98'); END"
        )
        db.run(
            f"CREATE {kind} TRIGGER neither BEFORE INSERT ON main.t WHEN new.b = 98 BEGIN"
            " SELECT raise(ABORT, 'not 98'); END"
        )
    before = changes(db), db.run("SELECT * FROM t"), one(db, "SELECT crsql_rows_impacted()")
    receive(db, incoming)
    message = refusal(db, SELECT).message
    assert f'"{table}"' in message and "key 2" in message and f'"{column}"' in message
    assert one(db, "SELECT crsql_internal_sync_bit()") == 0
    after = changes(db), db.run("SELECT * FROM t"), one(db, "SELECT crsql_rows_impacted()")
    assert after == before and after[2] == 4
    assert db.run("SELECT * FROM u") == []
    db.run("COMMIT")
    assert one(db, "SELECT count(*) FROM t") == 2


def test_a_single_row_after_a_failure_is_seen_at_once(db: Database) -> None:
    receive(db, [*rows(1, 2), change(3, "nope", 1)])
    db.run("BEGIN")
    refusal(db, SELECT)
    for number, row in enumerate(rows(5, 5), 1):
        db.run(MERGE, *row)
        assert one(db, "SELECT count(*) FROM crsql_changes") == number
    assert db.run("SELECT id, d FROM t") == [(5, 50)]


def test_triggers_of_the_table_fire_for_each_cell(db: Database) -> None:
    db.run("CREATE TABLE fired (id)")
    for event in ("INSERT", "UPDATE"):
        db.run(f"CREATE TRIGGER {event}_ AFTER {event} ON t BEGIN"
               " INSERT INTO fired VALUES (new.id); END")  # fmt: skip
    receive(db, rows(1, 2))
    db.run(SELECT)
    assert one(db, "SELECT count(*) FROM fired") == 8


# The same as one by one

lists = st.lists(st.lists(forged(), min_size=1, max_size=12), min_size=1, max_size=4)


def outcome(db: Database) -> tuple[object, ...]:
    own = site_id(db)
    log = [
        row._replace(site_id=b"own" if row.site_id == own else row.site_id)
        for row in changes(db)
    ]
    return (
        sorted(log, key=lambda row: (row.db_version, row.seq, row.table, row.pk, row.cid)),
        contents(db),
        one(db, "SELECT crsql_db_version()"),
    )


@bounded(60)
@given(lists, st.booleans())
def test_the_same_as_one_by_one(history: list[list[Forged]], in_transaction: bool) -> None:
    with opened("ours") as whole, opened("ours") as single:
        for db in (whole, single):
            for table in TABLES:
                table.create(db)
        for incoming in history:
            made = [forged.made(whole) for forged in incoming]
            receive(whole, made)
            whole.run("BEGIN")
            whole.run(SELECT)
            single.run("BEGIN")
            for row in made:
                single.run(MERGE, *row)
            query = "SELECT crsql_rows_impacted()"
            assert one(whole, query) == one(single, query)
            if in_transaction:
                assert outcome(whole) == outcome(single)
            for db in (whole, single):
                db.run("COMMIT")
            assert outcome(whole) == outcome(single)


# Faults in the middle


def check_whole(db: Database) -> None:
    """Every row has its cells in the log, and every cell its row."""
    log = {(row.pk, row.cid) for row in changes(db) if row.cl % 2 == 1 and row.cid != "-1"}
    rows_ = db.run("SELECT crsql_pack_columns(id), a, b, c, d FROM t")
    assert {pk for pk, _ in log} == {row[0] for row in rows_}
    for pk, *cells in rows_:
        for cid, value in zip("abcd", cells, strict=True):
            assert (pk, cid) in log or value in (None, 0)


def outcome_of_fault(db: Database, kept: int) -> None:
    """All of the statement, or nothing of it, or nothing of the transaction."""
    check_whole(db)
    found = one(db, "SELECT count(*) FROM t")
    assert found in (0, kept, kept + 60)
    assert one(db, "SELECT crsql_internal_sync_bit()") == 0
    db.run("INSERT INTO t (id) VALUES (1000)")
    check_whole(db)


TRACKED = """
    CREATE TRIGGER x AFTER INSERT ON t WHEN new.id < 100 BEGIN
      INSERT OR IGNORE INTO t (id, a) VALUES (new.id + 300, new.a); END
"""


@pytest.mark.parametrize("trigger", ["", TRACKED])
@pytest.mark.parametrize("pages", range(0, 12, 2))
def test_a_full_disk(db: Database, trigger: str, pages: int) -> None:
    db.run("INSERT INTO t (id, a) VALUES (200, zeroblob(100))")
    receive(db, [(*row[:3], bytes(120), *row[4:]) for row in rows(1, 60)])
    db.run(trigger)
    db.run("BEGIN; UPDATE t SET b = 1")
    size = one(db, "PRAGMA page_count")
    assert isinstance(size, int)
    db.run(f"PRAGMA max_page_count = {size + pages}")
    try:
        db.run(SELECT + "; COMMIT")
    except SqlError as error:
        assert error.primary == 13
    db.run("PRAGMA max_page_count = 100000")
    if db.native.in_transaction:  # type: ignore[attr-defined]
        db.run("COMMIT")
    if trigger:
        check_whole(db)
    else:
        outcome_of_fault(db, 1)


@pytest.mark.parametrize("trigger", ["", TRACKED])
@pytest.mark.parametrize("after", [7, 50, 400, 1500, 4000, 6000])
def test_an_interrupt(db: Database, trigger: str, after: int) -> None:
    db.run("INSERT INTO t (id, a) VALUES (200, 1)")
    receive(db, rows(1, 60))
    db.run(trigger)
    db.run("BEGIN; UPDATE t SET b = 1")
    left = [after]

    def progress() -> int:
        left[0] -= 1
        return left[0] <= 0

    native = db.native  # type: ignore[attr-defined]
    native.set_progress_handler(progress, 3)
    try:
        db.run(SELECT)
        db.run("COMMIT")
    except SqlError as error:
        assert error.primary in (9, 4)
    native.set_progress_handler(None, 0)
    if native.in_transaction:
        db.run("COMMIT")
    if trigger:
        check_whole(db)
    else:
        outcome_of_fault(db, 1)
