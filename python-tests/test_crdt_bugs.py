"""What goes wrong elsewhere: one test for each, with what happens here instead.

The first part has the faults of cr-sqlite 0.16, the second those of other
libraries of the kind; where a test can show the fault in cr-sqlite itself, it
does, so that it is known when a new version of it needs no such care any more.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from crdt_peer import Database, SqlError, Value, apply, changes, opened, ours
from crdt_peer.database import extension_path, one
from crdt_peer.exchange import MERGE, pull, sync

SITE = b"\x11" * 16
MAX = 2**63 - 1


@pytest.fixture
def db() -> Iterator[Database]:
    with opened("ours") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a CHECK (a != 99), b TEXT)")
        db.run("SELECT crsql_as_crr('t')")
        yield db


@pytest.fixture
def other() -> Iterator[Database]:
    with opened("ours") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b TEXT)")
        db.run("SELECT crsql_as_crr('t')")
        yield db


@pytest.fixture
def peer() -> Iterator[Database]:
    with opened("theirs") as db:
        db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b TEXT)")
        db.run("SELECT crsql_as_crr('t')")
        yield db


def change(
    cid: str = "a", val: Value = 1, version: int = 1, *, pk: bytes | None = b"\x01\x09\x01",
    db_version: int = 1, site: bytes | None = SITE, cl: int = 1, seq: int = 0, table: str = "t",
) -> tuple[Value, ...]:  # fmt: skip
    return (table, pk, cid, val, version, db_version, site, cl, seq)


def refusal(db: Database, sql: str, *values: Value) -> str:
    with pytest.raises(SqlError) as caught:
        db.run(sql, *values)
    return caught.value.message


def state(db: Database) -> tuple[object, ...]:
    return changes(db), db.run("SELECT * FROM t"), one(db, "SELECT crsql_db_version()")


# A merge that fails


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize("why", ["check", "trigger", "column", "key"])
def test_failed_merge_leaves_nothing_behind(
    db: Database, why: str, in_transaction: bool
) -> None:
    """Elsewhere the sync bit stays set, and local writes are lost from then on."""
    db.run(
        "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.a = 98 BEGIN"
        " SELECT raise(ABORT, 'not 98'); END"
    )
    bad = {
        "check": change(val=99),
        "trigger": change(val=98),
        "column": change("nope"),
        "key": change(pk=b"\x01\x0b\x01a"),
    }[why]
    if in_transaction:
        db.run("BEGIN; INSERT INTO t VALUES (5, 5, 5)")
    before = state(db)
    refusal(db, MERGE, *bad)
    assert state(db) == before
    assert one(db, "SELECT crsql_internal_sync_bit()") == 0
    db.run("INSERT INTO t VALUES (6, 6, 6)")
    if in_transaction:
        db.run("COMMIT")
    assert [row.cid for row in changes(db, "pk = x'010906'")] == ["a", "b"]


def test_failed_merge_names_table_key_and_column(db: Database) -> None:
    message = refusal(db, MERGE, *change(val=99))
    assert '"t"' in message or "t" in message.split()
    assert "a" in message and "1" in message and "CHECK" in message


def test_sync_bit_of_the_peer_stays_set(peer: Database) -> None:
    """The fault that the tests above are about."""
    peer.run(
        "CREATE TABLE u (id PRIMARY KEY NOT NULL, a CHECK (a < 9)); SELECT crsql_as_crr('u')"
    )
    refusal(peer, MERGE, *change(val=9, table="u"))
    assert one(peer, "SELECT crsql_internal_sync_bit()") == 1


# Updates of keys


@pytest.mark.parametrize("target", ["other", "peer"])
def test_moved_row_arrives_whole(
    db: Database, target: str, request: pytest.FixtureRequest
) -> None:
    """Elsewhere who pulls what is new gets the new row with NULLs in it."""
    puller: Database = request.getfixturevalue(target)
    db.run("INSERT INTO t VALUES (1, 2, 'x')")
    cursor = pull(db, puller)
    db.run("UPDATE t SET id = 5, a = 7")
    pull(db, puller, cursor)
    assert puller.run("SELECT * FROM t") == [(5, 7, "x")]


def test_moved_row_has_the_log_in_order(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 'x'); UPDATE t SET id = 5, a = 7")
    found = changes(db)
    assert {row.db_version for row in found} == {2}
    assert [row.seq for row in found] == sorted({row.seq for row in found})


def test_row_moved_onto_a_tombstone(db: Database, other: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'); DELETE FROM t WHERE id = 2")
    cursor = pull(db, other)
    db.run("UPDATE t SET id = 2")
    pull(db, other, cursor)
    assert other.run("SELECT * FROM t") == db.run("SELECT * FROM t") == [(2, 1, "x")]


# Bytes from a peer

HOSTILE_KEYS = [
    None, b"", b"\x00", b"\x01", b"\x01\x00", b"\x01\x06", b"\x01\x07", b"\x01\x49" + bytes(9),
    b"\x01\x49", b"\x01\xf9" + bytes(31), b"\x01\x09", b"\x01\x0b\xff", b"\x01\x02\x00",
    b"\x01\x2b\xff\xff\xff\xff", b"\x01\x2b\xff\xff\xff\xff\xff",
    b"\x01\x43\x7f" + b"\xff" * 7, b"\xff\x05", b"\x02\x09\x01", b"\x02\x09\x01\x09\x01",
    b"\x01\x05",
]  # fmt: skip


@pytest.mark.parametrize("pk", HOSTILE_KEYS)
def test_hostile_key_is_an_error(db: Database, pk: bytes | None) -> None:
    """Elsewhere some of these end the process."""
    before = state(db)
    refusal(db, MERGE, *change(pk=pk))
    refusal(db, MERGE, *change("-1", None, 2, pk=pk, cl=2))
    assert state(db) == before


def test_hostile_package_is_an_error(db: Database) -> None:
    query = "SELECT cell FROM crsql_unpack_columns WHERE package = ?1"
    for package in HOSTILE_KEYS[:1] + HOSTILE_KEYS[3:-3]:
        refusal(db, query, package)


def test_random_bytes_never_do_harm(db: Database) -> None:
    chance = random.Random(7)
    query = "SELECT count(*) FROM crsql_unpack_columns WHERE package = ?1"
    for _ in range(500):
        data = chance.randbytes(chance.randint(0, 12))
        for sql, values in [(query, (data,)), (MERGE, change(pk=data))]:
            try:
                db.run(sql, *values)
            except SqlError as error:
                assert error.message
    assert one(db, "PRAGMA integrity_check") == "ok"


def test_hostile_key_ends_the_peer(peer: Database) -> None:
    """The fault that the tests above are about."""
    refusal(peer, MERGE, *change(pk=b""))
    with pytest.raises(SqlError):
        peer.run("SELECT 1")


@pytest.mark.parametrize(
    "poison",
    [
        change(db_version=MAX),
        change(db_version=MAX - 1),
        change(version=MAX),
        change("-1", None, MAX, cl=MAX),
        change(cl=MAX),
        change("-1", None, MAX - 1, cl=MAX - 1),
    ],
)
def test_poisoned_versions_are_refused(db: Database, poison: tuple[Value, ...]) -> None:
    """Elsewhere they stop the clock for ever, or make the row unchangeable."""
    db.run("INSERT INTO t VALUES (2, 2, 2)")
    before = state(db)
    refusal(db, MERGE, *poison)
    assert state(db) == before
    db.run("UPDATE t SET a = 3; DELETE FROM t; INSERT INTO t VALUES (2, 2, 2)")
    assert one(db, "SELECT crsql_db_version()") == 4


@pytest.mark.parametrize("number", [2**53, 2**53 - 1, 2**52 + 1, 2**52])
def test_no_peer_stops_the_clock(db: Database, other: Database, number: int) -> None:
    """Elsewhere none can be newer than the greatest version there is."""
    db.run("INSERT INTO t VALUES (1, 2, 2), (2, 2, 2)")
    sync(db, other)
    db.run(MERGE, *change(val=5, version=9, db_version=number))
    db.run(MERGE, *change("b", "b", 9, db_version=number))
    reached = number if number <= 2**52 else 2
    for _ in range(3):
        sync(db, other)
        db.run("UPDATE t SET a = a + 1 WHERE id = 2")
        other.run("UPDATE t SET b = b + 1 WHERE id = 2")
    sync(db, other)
    assert db.run("SELECT * FROM t") == other.run("SELECT * FROM t")
    assert db.run("SELECT * FROM t") == [(1, 5, "b"), (2, 5, "5")]
    version = one(db, "SELECT crsql_db_version()")
    assert isinstance(version, int) and reached <= version <= reached + 20


def test_versions_of_a_cell_and_of_a_row_may_be_the_greatest(
    db: Database, other: Database
) -> None:
    """No more can come of it than that this cell or this row is settled."""
    db.run("INSERT INTO t VALUES (1, 2, 2), (2, 2, 2), (3, 3, 3)")
    db.run(MERGE, *change(val=5, version=2**53))
    db.run(MERGE, *change("-1", None, 2**53, pk=b"\x01\x09\x02", cl=2**53))
    db.run(MERGE, *change("a", 5, 1, pk=b"\x01\x09\x03", cl=2**53 - 1))
    db.run("UPDATE t SET a = 7 WHERE id = 1; REPLACE INTO t VALUES (3, 8, 8)")
    assert "deleted for ever" in refusal(db, "INSERT INTO t VALUES (2, 0, 0)")
    sync(db, other)
    assert db.run("SELECT * FROM t") == [(1, 7, "2"), (3, 8, "8")]
    db.run("DELETE FROM t WHERE id = 3")
    sync(db, other)
    assert db.run("SELECT * FROM t") == other.run("SELECT * FROM t") == [(1, 7, "2")]


def test_next_db_version_is_not_to_be_poisoned(db: Database) -> None:
    for number in (MAX, 2**53, 2**52 + 1):
        refusal(db, "SELECT crsql_next_db_version(?1)", number)
    db.run("INSERT INTO t VALUES (2, 2, 2)")
    assert one(db, "SELECT crsql_db_version()") == 1


# Reading

ORDERS = [
    "db_version, seq",
    "db_version DESC, seq",
    "db_version DESC, seq DESC",
    "db_version, seq DESC",
    "db_version DESC",
    "seq, db_version DESC",
    "cid, db_version DESC, seq",
    "val",
    "val DESC, db_version, seq",
    "pk DESC, cid",
    "[table], cl DESC, col_version, cid",
    "site_id, cid DESC",
    "rowid, cid",
    "typeof(val), seq DESC",
    "db_version + 0, -seq",
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("tail", ["", " LIMIT 3", " LIMIT 2 OFFSET 1"])
def test_order_is_the_one_asked_for(db: Database, order: str, tail: str) -> None:
    """Elsewhere all terms get the direction of the last, and some are an error."""
    db.run("INSERT INTO t VALUES (1, 'x', 'y'), (2, 2.5, NULL)")
    db.run("UPDATE t SET a = 'z' WHERE id = 2; INSERT INTO t VALUES (3, x'00', '')")
    apply(db, [change("a", 5, 3, pk=b"\x01\x09\x07", db_version=9, seq=2), change("b", 1, 4)])
    columns = "[table], pk, cid, val, col_version, db_version, site_id, cl, seq"
    db.run(f"CREATE TEMP TABLE plain ({columns}, id)")
    db.run(f"INSERT INTO plain SELECT {columns}, rowid FROM crsql_changes")
    order_of_plain = order.replace("rowid", "id")
    # Ties may come in any order: compare what the order is about.
    terms = ", ".join(term.removesuffix(" DESC") for term in order.split(", "))
    plain_terms = terms.replace("rowid", "id")
    found = db.run(f"SELECT {terms} FROM crsql_changes ORDER BY {order}{tail}")
    assert found == db.run(f"SELECT {plain_terms} FROM plain ORDER BY {order_of_plain}{tail}")


def test_first_changes_of_many_are_found_at_once(db: Database) -> None:
    """A reader that stops early pays for what it has read; no sorting first."""
    db.run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        "INSERT INTO t SELECT i, -i, i FROM n"
    )
    found = db.run("SELECT seq FROM crsql_changes WHERE db_version > 0 LIMIT 3")
    assert found == [(0,), (1,), (2,)]
    plan = db.run(
        "EXPLAIN QUERY PLAN SELECT seq FROM crsql_changes WHERE db_version > 0 "
        "ORDER BY db_version, seq LIMIT 3"
    )
    assert not any("TEMP B-TREE" in str(row[3]) for row in plan)


def test_local_changes_by_the_old_name(db: Database) -> None:
    """Until 0.15 a local change had no site; 0.16 answers that with nothing."""
    db.run("INSERT INTO t VALUES (1, 2, 3)")
    apply(db, [change(pk=b"\x01\x09\x02")])
    own = one(db, "SELECT crsql_site_id()")
    assert [row.cid for row in changes(db, "site_id IS NULL")] == ["a", "b"]
    assert {row.site_id for row in changes(db, "site_id IS NULL")} == {own}
    assert {row.site_id for row in changes(db, "site_id IS NULL AND db_version > 0")} == {own}
    assert len(changes(db, "site_id IS NOT NULL")) == 3


def test_a_site_that_is_too_long_is_no_site(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3)")
    apply(db, [change(pk=b"\x01\x09\x02")])
    for site in (SITE, one(db, "SELECT crsql_site_id()")):
        assert isinstance(site, bytes)
        longer = f"x'{site.hex()}00'"
        assert len(changes(db, f"site_id != {longer}")) == 3
        assert len(changes(db, f"site_id IS NOT {longer}")) == 3
        assert changes(db, f"site_id = {longer}") == []


def test_self_join(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3); UPDATE t SET a = 4")
    found = db.run(
        "SELECT count(*) FROM crsql_changes x JOIN crsql_changes y "
        "ON x.pk = y.pk AND x.[table] = y.[table] AND x.db_version < y.db_version"
    )
    assert found == [(2,)]


def test_constraint_that_cannot_be_used(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3); CREATE TABLE w (v, s); INSERT INTO w VALUES (0, 0)")
    found = db.run(
        "SELECT c.cid FROM w LEFT JOIN crsql_changes c "
        "ON c.db_version > w.v AND c.[table] = 't' AND c.seq >= w.s"
    )
    assert sorted(found) == [("a",), ("b",)]


# Tables that come, go and change


def test_dropped_table_bricks_nothing(db: Database) -> None:
    db.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO t VALUES (1, 2, 3); INSERT INTO u VALUES (1, 2); DROP TABLE u")
    assert {row.table for row in changes(db)} == {"t"}
    db.run("INSERT INTO t VALUES (2, 2, 3)")
    assert one(db, "SELECT crsql_db_version()") == 3
    db.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, w); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO u VALUES (7, 8)")
    assert [(row.cid, row.val) for row in changes(db, "[table] = 'u'")] == [("w", 8)]


@pytest.mark.parametrize("name", ["log__crsql_clock", "x__crsql_pks", "__crsql_clock"])
def test_stray_table_bricks_nothing(db: Database, name: str) -> None:
    db.run(f"CREATE TABLE {name} (id PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('{name}')")
    db.run(f"INSERT INTO t VALUES (1, 2, 3); INSERT INTO {name} VALUES (1, 2)")
    assert {row.table for row in changes(db)} == {"t", name}


def test_refused_table_keeps_the_transaction(db: Database) -> None:
    db.run("CREATE TABLE n (id); BEGIN; INSERT INTO t VALUES (1, 2, 3)")
    refusal(db, "SELECT crsql_as_crr('n')")
    db.run("INSERT INTO t VALUES (2, 2, 3); COMMIT")
    assert len(db.run("SELECT * FROM t")) == 2
    assert len(changes(db)) == 4


def test_refused_alter_keeps_the_transaction(db: Database) -> None:
    db.run("BEGIN; INSERT INTO t VALUES (1, 2, 3)")
    refusal(db, "SELECT crsql_commit_alter('nope')")
    db.run("COMMIT")
    assert len(changes(db)) == 2


def test_added_column_is_not_silently_untracked(db: Database) -> None:
    """Elsewhere it is, or every later update fails."""
    db.run("INSERT INTO t VALUES (1, 2, 3); ALTER TABLE t ADD COLUMN c DEFAULT 4")
    message = refusal(db, "UPDATE t SET c = 5")
    assert "crsql_commit_alter('t')" in message
    assert len(changes(db)) == 2
    db.run("SELECT crsql_commit_alter('t')")
    db.run("UPDATE t SET c = 5; INSERT INTO t VALUES (2, 2, 2, 2)")
    assert [(row.cid, row.val) for row in changes(db, "db_version > 1")] == [
        ("c", 5),
        ("a", 2),
        ("b", "2"),
        ("c", 2),
    ]


def refused_or(db: Database, sql: str) -> bool:
    """Run what must either work or be refused with the remedy."""
    try:
        db.run(sql)
    except SqlError as error:
        # What SQLite itself refuses is refused for the sake of our trigger.
        assert "crsql_begin_alter" in error.message or "t__crsql" in error.message
        return False
    return True


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t RENAME COLUMN b TO bb",
        "ALTER TABLE t DROP COLUMN b",
        "ALTER TABLE t RENAME TO tt",
    ],
)
def test_other_alters_brick_nothing(db: Database, sql: str) -> None:
    db.run("INSERT INTO t (id, a, b) VALUES (1, 2, 3), (2, 2, 3); DELETE FROM t WHERE id = 2")
    name = "tt" if refused_or(db, sql) and sql.endswith("tt") else "t"
    changes(db)
    if not refused_or(db, f"INSERT INTO {name} (id, a) VALUES (7, 8)"):
        return
    found = changes(db, "pk = x'010907'")
    assert ("a", 8) in [(row.cid, row.val) for row in found]
    assert {row.table for row in found} == {name}
    assert [row.cl for row in changes(db, "pk = x'010902'")] == [2]


def test_alter_by_the_book_keeps_versions_of_any_case(db: Database) -> None:
    """Elsewhere a column named in mixed case falls back to its first version."""
    db.run(
        "CREATE TABLE u (Id INTEGER PRIMARY KEY NOT NULL, MixedCase); SELECT crsql_as_crr('u')"
    )
    db.run("INSERT INTO u VALUES (0, 0), (256, 0)")
    for number in range(4):
        db.run("UPDATE u SET mixedcase = ?1", number + 1)
    db.run("SELECT crsql_begin_alter('u'); ALTER TABLE u ADD COLUMN More DEFAULT 9")
    db.run("UPDATE u SET More = 10; SELECT crsql_commit_alter('u')")
    found = {(row.pk.hex(), row.cid): row.col_version for row in changes(db)}
    assert found == {
        ("0101", "MixedCase"): 5,
        ("01110100", "MixedCase"): 5,
        ("0101", "More"): 1,
        ("01110100", "More"): 1,
    }


def test_many_columns(db: Database, other: Database) -> None:
    """Elsewhere 63 is the end, for the arguments of a function are limited."""
    columns = ", ".join(f"c{number}" for number in range(300))
    for each in (db, other):
        each.run(
            f"CREATE TABLE w (id PRIMARY KEY NOT NULL, {columns}); SELECT crsql_as_crr('w')"
        )
    db.run(
        "INSERT INTO w (id, c0, c299) VALUES (1, 'first', 'last'); UPDATE w SET c150 = 'mid'"
    )
    sync(db, other)
    assert other.run("SELECT c0, c150, c299 FROM w") == [("first", "mid", "last")]
    assert len(changes(other)) == 300


def test_many_key_columns(db: Database, other: Database) -> None:
    names = [f"k{number}" for number in range(31)]
    for each in (db, other):
        for width in (30, 31):
            columns = ", ".join(f"{name} NOT NULL" for name in names[:width])
            each.run(
                f"CREATE TABLE w{width} ({columns}, PRIMARY KEY ({', '.join(names[:width])}))"
            )
        each.run("SELECT crsql_as_crr('w30')")
        assert "w31" in refusal(each, "SELECT crsql_as_crr('w31')")
    db.run(f"INSERT INTO w30 VALUES ({', '.join('7' * 30)}); UPDATE w30 SET k29 = 8")
    sync(db, other)
    assert other.run("SELECT k0, k29 FROM w30") == [(7, 8)]


def test_values_of_an_alter_arrive(db: Database, other: Database) -> None:
    """Elsewhere they get a version that who pulls what is new has passed."""
    db.run("INSERT INTO t VALUES (1, 2, 'x'), (3, 2, 'x')")
    cursor = pull(db, other)
    for each in (db, other):
        each.run("SELECT crsql_begin_alter('t'); ALTER TABLE t ADD COLUMN c DEFAULT 5")
        if each is db:
            each.run("UPDATE t SET c = 6; INSERT INTO t VALUES (2, 2, 'y', 7)")
            each.run("DELETE FROM t WHERE id = 3")
        each.run("SELECT crsql_commit_alter('t')")
    pull(db, other, cursor)
    assert other.run("SELECT * FROM t") == [(1, 2, "x", 6), (2, 2, "y", 7)]


NAMES = ["a table", 'quo"te', "it's", "order", "bräck]et", "semi;colon", "per%cent", "-1"]


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_any_table_name(db: Database, other: Database, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    for each in (db, other):
        each.run(f"CREATE TABLE {quoted} (id PRIMARY KEY NOT NULL, v)")
        each.run(f"INSERT INTO {quoted} VALUES (?1, 'before')", "old " + each.name)
        assert one(each, "SELECT crsql_as_crr(?1)", name) == "OK"
    db.run(f"INSERT INTO {quoted} VALUES ('new', 1); DELETE FROM {quoted} WHERE id LIKE 'old%'")
    sync(db, other)
    assert other.run(f"SELECT * FROM {quoted}") == [("new", 1)]


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_any_column_name(db: Database, other: Database, name: str) -> None:
    if name == "-1":
        pytest.skip("the log has this name for a row: see test_column_named_as_a_row")
    quoted = '"' + name.replace('"', '""') + '"'
    for each in (db, other):
        each.run(f"CREATE TABLE u (id PRIMARY KEY NOT NULL, {quoted}, v)")
        each.run("SELECT crsql_as_crr('u')")
    db.run("INSERT INTO u VALUES (1, 2, 3), (2, 3, 4)")
    db.run(f"UPDATE u SET {quoted} = 9; DELETE FROM u WHERE id = 2")
    sync(db, other)
    assert other.run("SELECT * FROM u") == [(1, 9, 3)]


def test_column_named_as_a_row_is_refused(db: Database) -> None:
    """The log calls a row "-1": a column of that name diverges elsewhere."""
    db.run('CREATE TABLE u (id PRIMARY KEY NOT NULL, "-1")')
    assert "-1" in refusal(db, "SELECT crsql_as_crr('u')")
    db.run("INSERT INTO t VALUES (1, 2, 3); SELECT crsql_begin_alter('t')")
    db.run('ALTER TABLE t ADD COLUMN "-1"')
    assert "-1" in refusal(db, "SELECT crsql_commit_alter('t')")
    assert db.run("SELECT * FROM t") == [(1, 2, "3")]


@pytest.mark.parametrize("kind", ["table", "column", "log", "tail", "rows_1"])
def test_our_own_tables_are_refused(db: Database, kind: str) -> None:
    """What tracks the others cannot be tracked."""
    refusal(db, f"SELECT crsql_as_crr('Rowtide_crdt_{kind}')")
    db.run("INSERT INTO t VALUES (1, 2, 3)")
    assert len(changes(db)) == 2


def test_row_whose_columns_were_all_dropped(db: Database, other: Database) -> None:
    for each in (db, other):
        each.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO u VALUES (1, 2)")
    for each in (db, other):
        each.run("SELECT crsql_begin_alter('u'); ALTER TABLE u DROP COLUMN a")
        each.run("SELECT crsql_commit_alter('u')")
    sync(db, other)
    assert other.run("SELECT * FROM u") == [(1,)]


# Values


def test_coerced_value_settles(db: Database) -> None:
    """Elsewhere 77 into a TEXT column wins again at each merge."""
    apply(db, [change("b", 77, 1)])
    before = state(db)
    assert db.run("SELECT b FROM t") == [("77",)]
    apply(db, [change("b", 77, 1, db_version=5)])
    apply(db, [change("b", 77, 1, db_version=6)])
    assert state(db) == before


def test_text_after_a_nul_counts(db: Database, other: Database) -> None:
    db.run("INSERT INTO t VALUES (1, ?1, ?1)", "a\0b")
    db.run("UPDATE t SET a = ?1, b = ?1", "a\0c")
    sync(db, other)
    assert other.run("SELECT a, b FROM t") == [("a\0c", "a\0c")]
    assert {row.col_version for row in changes(db)} == {2}


@pytest.mark.parametrize("value", ["__[RLS]__", "-1", "crsql", "NULL", ""])
def test_no_value_means_anything_else(db: Database, other: Database, value: str) -> None:
    db.run("INSERT INTO t VALUES (1, ?1, ?1)", value)
    sync(db, other)
    assert other.run("SELECT a, b FROM t") == [(value, value)]


def test_deletes_on_both_sides_agree(db: Database, other: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3)")
    sync(db, other)
    db.run("DELETE FROM t")
    other.run("UPDATE t SET a = 9; DELETE FROM t")
    sync(db, other)
    (mine,), (yours,) = changes(db), changes(other)
    assert mine[:5] == yours[:5] and mine.cl == yours.cl == 2


# The host's own affairs


def test_changes_counts_what_the_user_wrote(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3), (3, 2, 3)")
    assert one(db, "SELECT changes()") == 3
    db.run("BEGIN; UPDATE t SET a = 4 WHERE id < 3")
    assert one(db, "SELECT changes()") == 2
    db.run("DELETE FROM t WHERE id = 1")
    assert one(db, "SELECT changes()") == 1
    db.run("COMMIT")


def test_last_insert_rowid_is_the_user_s(db: Database) -> None:
    db.run("CREATE TABLE u (id TEXT PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO t VALUES (77, 2, 3)")
    assert one(db, "SELECT last_insert_rowid()") == 77
    db.run("BEGIN; INSERT INTO u VALUES ('x', 1), ('y', 2)")
    assert one(db, "SELECT last_insert_rowid()") == 2
    db.run("COMMIT")
    assert one(db, "SELECT last_insert_rowid()") == 2


def test_hooks_of_the_host_stay() -> None:
    """Elsewhere loading the extension replaces them."""
    import apsw

    calls = []

    def committing() -> bool:
        calls.append("commit")
        return False

    native = apsw.Connection(":memory:")
    native.set_commit_hook(committing)
    native.set_rollback_hook(lambda: calls.append("rollback"))
    native.enable_load_extension(True)
    native.load_extension(extension_path(), "sqlite3_rowtide_init")
    native.execute("CREATE TABLE t (id PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('t')")
    calls.clear()
    native.execute("INSERT INTO t VALUES (1, 2)")
    native.execute("BEGIN; INSERT INTO t VALUES (2, 2); ROLLBACK")
    assert calls == ["commit", "rollback"]
    # Nor does it mind hooks that come later.
    native.set_commit_hook(None)
    native.set_rollback_hook(None)
    native.execute("BEGIN; INSERT INTO t VALUES (3, 2); ROLLBACK; INSERT INTO t VALUES (4, 2)")
    found = native.execute("SELECT db_version, seq FROM crsql_changes").fetchall()
    assert found == [(1, 0), (2, 0)]
    native.close()


def test_configuration_cannot_shut_the_door(tmp_path: Path) -> None:
    """Elsewhere a setting that isn't a number makes every later load fail."""
    path = tmp_path / "db"
    with_setting = ours(path)
    refusal(with_setting, "SELECT crsql_config_set('merge-equal-values', 'yes')")
    with_setting.run("SELECT crsql_config_set('merge-equal-values', 1)")
    with_setting.close()
    again = ours(path)
    assert one(again, "SELECT crsql_config_get('merge-equal-values')") == 1
    again.close()


def test_closing_without_finalize(tmp_path: Path) -> None:
    db = ours(tmp_path / "db")
    db.run("CREATE TABLE t (id PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('t')")
    db.run("INSERT INTO t VALUES (1, 2)")
    changes(db)
    db.close()
    assert [path.name for path in tmp_path.iterdir()] == ["db"]


# Merging several changes


def fill(db: Database, rows: list[tuple[Value, ...]]) -> None:
    db.run("CREATE TEMP TABLE incoming AS SELECT * FROM crsql_changes LIMIT 0")
    for row in rows:
        db.run("INSERT INTO incoming VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", *row)


def test_statement_that_fails_halfway_is_undone(db: Database) -> None:
    """Elsewhere the change is dropped, the call a success and the cursor moved."""
    keys = [b"\x01\x09\x01", b"\x01\x09\x02", b"\x01\x09\x03"]
    fill(db, [change(val=val, pk=pk) for val, pk in zip([1, 99, 3], keys, strict=True)])
    before = state(db)
    refusal(db, "INSERT INTO crsql_changes SELECT * FROM incoming")
    assert state(db) == before
    db.run("BEGIN; INSERT INTO t VALUES (7, 7, 7)")
    before = state(db)
    refusal(db, "INSERT INTO crsql_changes SELECT * FROM incoming")
    assert state(db) == before
    db.run("COMMIT; UPDATE incoming SET val = 2 WHERE val = 99")
    db.run("INSERT INTO crsql_changes SELECT * FROM incoming")
    assert db.run("SELECT id, a FROM t") == [(1, 1), (2, 2), (3, 3), (7, 7)]


def test_one_statement_is_one_transaction(db: Database) -> None:
    fill(db, [change(pk=bytes([1, 9, key])) for key in range(1, 100)])
    db.run("INSERT INTO crsql_changes SELECT * FROM incoming")
    assert {row.db_version for row in changes(db)} == {1}
    assert one(db, "SELECT crsql_db_version()") == 1


def test_rows_of_one_statement_have_their_own_seq(db: Database) -> None:
    db.run("INSERT INTO t WITH n (i) AS (VALUES (1), (2), (3)) SELECT i, i, i FROM n")
    db.run("UPDATE t SET id = id + 10")
    found = [(row.db_version, row.seq) for row in changes(db)]
    assert len(set(found)) == len(found)


def test_no_two_changes_have_one_rowid(db: Database) -> None:
    """Elsewhere those of a row have: then an OR that is answered by two scans loses some."""
    db.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, v); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2); INSERT INTO u VALUES (1, 1), ('x', 2)")
    found = db.run("SELECT rowid FROM crsql_changes")
    assert len(set(found)) == len(found) == 6
    db.run("UPDATE t SET a = 9 WHERE id = 1")
    either = "db_version = 1 OR [table] = 't'"
    assert len(changes(db, either)) == len(changes(db, f"({either}) IS TRUE")) == 4


def test_columns_in_another_order_are_the_same_table(db: Database) -> None:
    """Elsewhere a hash of the schema's text decides who may talk to whom."""
    with opened("ours") as there:
        there.run(
            "CREATE TABLE [t] ( -- a comment\n b TEXT, extra DEFAULT 5,"
            ' "a" , id INTEGER NOT NULL PRIMARY KEY)'
        )
        there.run("SELECT crsql_as_crr('t')")
        db.run("INSERT INTO t VALUES (1, 2, 'x')")
        pull(db, there)
        assert there.run("SELECT id, a, b, extra FROM t") == [(1, 2, "x", 5)]
        there.run("UPDATE t SET a = 3")
        apply(db, changes(there, "cid != 'extra'"))
        assert db.run("SELECT * FROM t") == [(1, 3, "x")]


def test_unknown_column_is_named(db: Database) -> None:
    assert "missing" in refusal(db, MERGE, *change("missing"))


# No call ends the process

WITH_ARGUMENTS: list[Callable[[str], str]] = [
    lambda name: f"SELECT {name}()",
    lambda name: f"SELECT {name}(NULL)",
    lambda name: f"SELECT {name}('t')",
    lambda name: f"SELECT {name}(NULL, 1)",
    lambda name: f"SELECT {name}('t', NULL)",
    lambda name: f"SELECT {name}('t', 1, 2, 3, 4, 5, 6)",
    lambda name: f"SELECT {name}('t', x'', 'b', -1, 9223372036854775807)",
    lambda name: f"SELECT {name}(x'00ff', 2.5, '')",
]


def test_any_function_with_any_arguments(db: Database) -> None:
    db.run("INSERT INTO t VALUES (1, 2, 3)")
    names = [
        str(name)
        for (name,) in db.run(
            "SELECT DISTINCT name FROM pragma_function_list "
            "WHERE name LIKE 'crsql%' OR name LIKE 'rowtide%'"
        )
    ]
    assert len(names) > 20
    for name, call in itertools.product(sorted(names), WITH_ARGUMENTS):
        db.run("SAVEPOINT s")
        try:
            db.run(call(name))
        except SqlError as error:
            assert error.message
        assert one(db, "SELECT crsql_internal_sync_bit(0)") == 0
        try:
            db.run("ROLLBACK TO s; RELEASE s")
        except SqlError as error:
            assert "no such savepoint" in error.message, (call(name), error.message)
    assert one(db, "PRAGMA integrity_check") == "ok"
    assert db.run("SELECT * FROM t") == [(1, 2, "3")]


@pytest.mark.parametrize("column", range(9))
@pytest.mark.parametrize("value", [None, -1, MAX, 1.5, "", "x", b"", b"\xff" * 20])
def test_any_value_in_any_column_of_a_change(db: Database, column: int, value: Value) -> None:
    row = list(change())
    row[column] = value
    try:
        db.run(MERGE, *row)
    except SqlError as error:
        assert error.message
        assert changes(db) == [] and db.run("SELECT * FROM t") == []
    db.run("INSERT OR REPLACE INTO t VALUES (1, 2, 3)")
    assert len(changes(db, "pk = x'010901' AND cid IN ('a', 'b')")) == 2
    assert one(db, "PRAGMA integrity_check") == "ok"
