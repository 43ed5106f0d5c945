"""The SQL surface, word for word, on our database and on cr-sqlite's own.

What holds for both is what their users may go on relying on. A test that takes
`ours` alone is about something that the peer's version lacks, or that it does
differently; test_crdt_bugs.py has those where it does worse.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

import pytest
from crdt_peer import Database, SqlError, Value, apply, changes, opened
from crdt_peer.database import one

SITE = bytes(range(16))
OTHER = bytes(range(1, 17))


@pytest.fixture(params=["ours", "theirs"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    with opened(request.param) as db:
        yield db


@pytest.fixture
def our_db() -> Iterator[Database]:
    with opened("ours") as db:
        yield db


@pytest.fixture
def t(db: Database) -> Database:
    """`db` with a CRR t(id, a, b)."""
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b); SELECT crsql_as_crr('t')")
    return db


def refusal(db: Database, sql: str, *values: Value) -> str:
    with pytest.raises(SqlError) as caught:
        db.run(sql, *values)
    return caught.value.message


def log(db: Database, where: str = "1") -> list[tuple[Value, ...]]:
    """The changes without table and site: key, cid, value, versions, cl, seq."""
    return [
        (row.pk.hex(), row.cid, row.val, row.col_version, row.db_version, row.cl, row.seq)
        for row in changes(db, where)
    ]


def change(
    cid: str, val: Value, version: int, *, pk: str = "010901", db_version: int = 1, cl: int = 1,
    seq: int = 0, site: bytes | None = SITE, table: str = "t",
) -> tuple[Value, ...]:  # fmt: skip
    return (table, bytes.fromhex(pk), cid, val, version, db_version, site, cl, seq)


# Functions


def test_as_crr_answers_ok_however_often(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    before = changes(t)
    assert one(t, "SELECT crsql_as_crr('t')") == "OK"
    assert one(t, "SELECT crsql_as_crr('main', 't')") == "OK"
    assert changes(t) == before


def test_as_crr_without_arguments(db: Database) -> None:
    assert refusal(db, "SELECT crsql_as_crr()") == (
        "Wrong number of args provided to crsql_as_crr. Provide the schema \n"
        "          name and table name or just the table name."
    )


@pytest.mark.parametrize("name", ["begin", "commit"])
def test_alter_without_arguments(db: Database, name: str) -> None:
    assert refusal(db, f"SELECT crsql_{name}_alter()") == (
        f"Wrong number of args provided to crsql_{name}_alter. Provide the \n"
        "          schema name and table name or just the table name."
    )


def test_as_table_forgets_all_and_minds_no_unknown_name(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    assert one(t, "SELECT crsql_as_table('t')") is None
    assert one(t, "SELECT crsql_as_table('nope')") is None
    assert changes(t) == []
    t.run("INSERT INTO t VALUES (2, 2, 3)")
    assert t.run("SELECT * FROM t") == [(1, 2, 3), (2, 2, 3)]
    assert changes(t) == []


def test_site_id_is_a_random_uuid(db: Database) -> None:
    site = one(db, "SELECT crsql_site_id()")
    assert isinstance(site, bytes) and len(site) == 16
    assert site[6] >> 4 == 4 and site[8] >> 6 == 2
    assert one(db, "SELECT site_id FROM crsql_site_id WHERE ordinal = 0") == site


def test_db_version_moves_at_commit(t: Database) -> None:
    assert one(t, "SELECT crsql_db_version()") == 0
    t.run("BEGIN; INSERT INTO t VALUES (1, 2, 3)")
    assert one(t, "SELECT crsql_db_version()") == 0
    assert {row.db_version for row in changes(t)} == {1}
    t.run("INSERT INTO t VALUES (2, 2, 3); COMMIT")
    assert one(t, "SELECT crsql_db_version()") == 1
    assert {row.db_version for row in changes(t)} == {1}


def test_rollback_takes_the_version_back(t: Database) -> None:
    t.run("BEGIN; INSERT INTO t VALUES (1, 2, 3); ROLLBACK; INSERT INTO t VALUES (1, 2, 3)")
    assert one(t, "SELECT crsql_db_version()") == 1
    assert log(t) == [("010901", "a", 2, 1, 1, 1, 0), ("010901", "b", 3, 1, 1, 1, 1)]


def test_next_db_version_remembers_what_it_was_given(t: Database) -> None:
    t.run("BEGIN")
    assert t.run("SELECT crsql_next_db_version(), crsql_next_db_version(100)") == [(1, 100)]
    assert t.run("SELECT crsql_next_db_version(50), crsql_db_version()") == [(100, 0)]
    t.run("INSERT INTO t VALUES (1, 2, 3); COMMIT")
    assert one(t, "SELECT crsql_db_version()") == 100
    assert {row.db_version for row in changes(t)} == {100}


def test_rows_impacted_counts_wins_until_commit(t: Database) -> None:
    merge = "INSERT INTO crsql_changes VALUES ('t', x'010901', ?1, ?2, 1, 1, x'01', 1, 0)"
    t.run("BEGIN")
    assert one(t, "SELECT crsql_rows_impacted()") == 0
    t.run(merge, "a", 1)
    t.run(merge, "b", 1)
    assert one(t, "SELECT crsql_rows_impacted()") == 2
    t.run(merge, "b", 1)
    assert one(t, "SELECT crsql_rows_impacted()") == 2
    t.run("COMMIT")
    assert one(t, "SELECT crsql_rows_impacted()") == 0


def test_resurrecting_column_counts_twice(t: Database) -> None:
    t.run("BEGIN")
    for row in [change("a", 1, 1), change("-1", None, 2, cl=2), change("a", 2, 1, cl=3)]:
        t.run("INSERT INTO crsql_changes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", *row)
    assert one(t, "SELECT crsql_rows_impacted()") == 1 + 1 + 2
    t.run("COMMIT")


def test_sync_bit_turns_tracking_off(t: Database) -> None:
    assert one(t, "SELECT crsql_internal_sync_bit()") == 0
    assert one(t, "SELECT crsql_internal_sync_bit(1)") == 1
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    assert one(t, "SELECT crsql_internal_sync_bit(0)") == 0
    assert changes(t) == []


def test_sync_bit_is_set_while_triggers_see_a_merge(t: Database) -> None:
    t.run(
        "CREATE TABLE seen (bit);"
        "CREATE TRIGGER look AFTER INSERT ON t BEGIN"
        " INSERT INTO seen VALUES (crsql_internal_sync_bit()); END"
    )
    apply(t, [change("a", 1, 1)])
    t.run("INSERT INTO t VALUES (2, 2, 2)")
    assert t.run("SELECT bit FROM seen") == [(1,), (0,)]


def test_finalize(db: Database) -> None:
    assert one(db, "SELECT crsql_finalize()") == "finalized"


def test_config_is_kept_and_only_one_name_is_known(our_db: Database) -> None:
    our_db.run("SELECT crsql_config_set('merge-equal-values', 1)")
    assert one(our_db, "SELECT crsql_config_get('merge-equal-values')") == 1
    for sql in ["crsql_config_set('nope', 1)", "crsql_config_get('nope')"]:
        assert refusal(our_db, f"SELECT {sql}") == "Unknown setting name"


def test_sha_is_text(our_db: Database) -> None:
    assert one(our_db, "SELECT typeof(crsql_sha())") == "text"


def test_tracked_peers_is_the_application_s(db: Database) -> None:
    db.run(
        "INSERT INTO crsql_tracked_peers (site_id, version, tag, event) VALUES (x'01', 5, 0, 0)"
    )
    assert db.run("SELECT * FROM crsql_tracked_peers") == [(b"\x01", 5, 0, 0, 0)]
    again = (
        "INSERT INTO crsql_tracked_peers (site_id, version, tag, event) VALUES (x'01', 6, 0, 0)"
    )
    with pytest.raises(SqlError):
        db.run(again)


# Which tables may become CRRs

UNIQUE = (
    "Table t has unique indices besidesthe primary key. This is not allowed for CRRs"
)  # fmt: skip
NO_KEY = (
    "Table t has no primary key or primary key is nullable. "
    "CRRs must have a non nullable primary key"
)
PART = (
    "Table t has composite primary key part of which is nullable. "
    "CRRs must have a non nullable primary key"
)
AUTOINCREMENT = (
    "t has auto-increment primary keys. This is likely a mistake as two concurrent nodes will "
    "assign unrelated rows the same primary key. Either use a primary key that represents the "
    "identity of your row or use a database friendly UUID such as UUIDv7"
)
FOREIGN = (
    "Table t has checked foreign key constraints. CRRs may have foreign keys but must not have "
    "checked foreign key constraints as they can be violated by row level security or "
    "replication."
)
DEFAULT = (
    "Table t has a NOT NULL column without a DEFAULT VALUE. This is not allowed as it prevents "
    "forwards and backwards compatibility between schema versions. Make the column nullable or "
    "assign a default value to it."
)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ("id PRIMARY KEY NOT NULL, a UNIQUE", UNIQUE),
        ("id INTEGER PRIMARY KEY, a UNIQUE REFERENCES x, b NOT NULL", UNIQUE),
        ("id INTEGER PRIMARY KEY", NO_KEY),
        ("id PRIMARY KEY", NO_KEY),
        ("id, a NOT NULL REFERENCES x", NO_KEY),
        ("id NOT NULL, a, PRIMARY KEY (id, a)", PART),
        ("id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, a NOT NULL", AUTOINCREMENT),
        ("id PRIMARY KEY NOT NULL, a NOT NULL REFERENCES x (id)", FOREIGN),
        ("id PRIMARY KEY NOT NULL, a NOT NULL", DEFAULT),
        ("id PRIMARY KEY NOT NULL, a, b NOT NULL AS (1)", DEFAULT),
    ],
)
def test_refused_table(db: Database, columns: str, text: str) -> None:
    db.run(f"CREATE TABLE t ({columns})")
    assert refusal(db, "SELECT crsql_as_crr('t')") == text


@pytest.mark.parametrize("name", ["nope", "v"])
def test_refused_name(db: Database, name: str) -> None:
    db.run("CREATE VIEW v AS SELECT 1 AS id")
    text = NO_KEY.replace("Table t ", f"Table {name} ")
    assert refusal(db, f"SELECT crsql_as_crr('{name}')") == text


@pytest.mark.parametrize(
    "columns",
    [
        "(id INTEGER PRIMARY KEY NOT NULL)",
        "(id TEXT PRIMARY KEY NOT NULL, a) WITHOUT ROWID",
        "(id INT PRIMARY KEY NOT NULL, a INT, b TEXT) STRICT",
        "(id ANY PRIMARY KEY NOT NULL, a ANY) STRICT, WITHOUT ROWID",
        "(id PRIMARY KEY NOT NULL, a NOT NULL DEFAULT 1 CHECK (a < 9))",
        "(id PRIMARY KEY NOT NULL, a, b AS (a + 1), c AS (a + 2) STORED)",
        "(id PRIMARY KEY NOT NULL COLLATE NOCASE, a COLLATE NOCASE)",
        "(key PRIMARY KEY NOT NULL, col_name, site_id, seq, db_version, cl, pk, val)",
        "(b NOT NULL, a NOT NULL, c, PRIMARY KEY (a, b))",
    ],
)
def test_allowed_table(db: Database, columns: str) -> None:
    db.run(f"CREATE TABLE t {columns}")
    assert one(db, "SELECT crsql_as_crr('t')") == "OK"
    tracked = db.run("SELECT name FROM pragma_table_info('t') WHERE NOT pk")
    keys = db.run("SELECT name FROM pragma_table_info('t') WHERE pk")
    names = ", ".join(str(name) for (name,) in keys)
    db.run(f"INSERT INTO t ({names}) VALUES ({', '.join('7' * len(keys))})")
    assert [(row.cid,) for row in changes(db)] == (tracked or [("-1",)])


def test_name_is_recorded_as_given(db: Database) -> None:
    db.run("CREATE TABLE Foo (id PRIMARY KEY NOT NULL, B); SELECT crsql_as_crr('foo')")
    db.run("INSERT INTO FOO VALUES (1, 2)")
    assert [(row.table, row.cid) for row in changes(db)] == [("foo", "B")]


# Packed keys


def text_of(size: int) -> str:
    return "x" * size


PACKED: list[tuple[list[Value], str]] = [
    ([], "00"),
    ([0], "0101"),
    ([1], "010901"),
    ([127], "01097f"),
    ([128], "010980"),
    ([255], "0109ff"),
    ([256], "01110100"),
    ([65535], "0111ffff"),
    ([2**31], "012180000000"),
    ([2**32 - 1], "0121ffffffff"),
    ([2**40], "0131010000000000"),
    ([2**63 - 1], "01417fffffffffffffff"),
    ([-1], "0141ffffffffffffffff"),
    ([-(2**63)], "01418000000000000000"),
    ([0.0], "01020000000000000000"),
    ([-0.0], "01028000000000000000"),
    ([2.5], "01024004000000000000"),
    ([float("inf")], "01027ff0000000000000"),
    ([5e-324], "01020000000000000001"),
    ([1.7976931348623157e308], "01027fefffffffffffff"),
    ([""], "0103"),
    (["a"], "010b0161"),
    (["a\0b"], "010b03610062"),
    (["é"], "010b02c3a9"),
    ([text_of(128)], "010b80" + b"x".hex() * 128),
    ([text_of(300)], "0113012c" + b"x".hex() * 300),
    ([b""], "0104"),
    ([b"\0"], "010c0100"),
    ([None], "0105"),
    ([1, "a", None, b"\x01", 2.5], "0509010b0161050c0101024004000000000000"),
]


@pytest.mark.parametrize(("values", "packed"), PACKED)
def test_pack_columns(db: Database, values: list[Value], packed: str) -> None:
    holes = ", ".join(f"?{index + 1}" for index in range(len(values)))
    assert one(db, f"SELECT crsql_pack_columns({holes})", *values) == bytes.fromhex(packed)


@pytest.mark.parametrize(("values", "packed"), PACKED)
def test_unpack_columns(db: Database, values: list[Value], packed: str) -> None:
    query = "SELECT cell FROM crsql_unpack_columns WHERE package = ?1"
    found = [value for (value,) in db.run(query, bytes.fromhex(packed))]
    # A key's integers are widened with zeros: only eight bytes hold a sign.
    assert [exact(value) for value in found] == [exact(value) for value in values]


def exact(value: Value) -> tuple[str, Value]:
    if isinstance(value, float):
        return "float", struct.pack(">d", value)
    return type(value).__name__, value


def test_bytes_after_the_last_value_do_not_matter(db: Database) -> None:
    query = "SELECT cell FROM crsql_unpack_columns WHERE package = x'010901ffff'"
    assert db.run(query) == [(1,)]


@pytest.mark.parametrize("package", ["01", "0208", "010e", "0111ff", "0102ff", "010b0561"])
def test_malformed_package(db: Database, package: str) -> None:
    query = "SELECT cell FROM crsql_unpack_columns WHERE package = ?1"
    refusal(db, query, bytes.fromhex(package))


def test_key_is_packed_in_the_order_of_the_primary_key(db: Database) -> None:
    db.run(
        "CREATE TABLE t (b NOT NULL, v, a NOT NULL, PRIMARY KEY (a, b));"
        "SELECT crsql_as_crr('t');"
        "INSERT INTO t (a, b) VALUES (1, 'x')"
    )
    assert {row.pk for row in changes(db)} == {bytes.fromhex("0209010b0178")}


# What local writes record: key, cid, value, col_version, db_version, cl, seq


def test_insert(t: Database) -> None:
    t.run("INSERT INTO t (id, b) VALUES (1, 'x'), (256, NULL)")
    assert log(t) == [
        ("010901", "a", None, 1, 1, 1, 0),
        ("010901", "b", "x", 1, 1, 1, 1),
        ("01110100", "a", None, 1, 1, 1, 2),
        ("01110100", "b", None, 1, 1, 1, 3),
    ]


def test_update_records_what_differs(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); UPDATE t SET a = 2, b = 3.0; UPDATE t SET a = a")
    assert log(t) == [("010901", "a", 2, 1, 1, 1, 0), ("010901", "b", 3.0, 2, 2, 1, 0)]


def test_delete_keeps_the_sentinel_alone(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); DELETE FROM t")
    assert log(t) == [("010901", "-1", None, 2, 2, 2, 0)]


def test_insert_after_delete_resurrects(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); DELETE FROM t; INSERT INTO t VALUES (1, 4, 5)")
    assert log(t) == [
        ("010901", "-1", None, 3, 3, 3, 0),
        ("010901", "a", 4, 1, 3, 3, 1),
        ("010901", "b", 5, 1, 3, 3, 2),
    ]


def test_replace_of_a_row_that_lives(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); INSERT OR REPLACE INTO t VALUES (1, 2, 4)")
    assert log(t) == [("010901", "a", 2, 2, 2, 1, 1), ("010901", "b", 4, 2, 2, 1, 2)]


def test_replace_of_a_row_that_lives_again(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); DELETE FROM t; INSERT INTO t VALUES (1, 4, 5)")
    t.run("INSERT OR REPLACE INTO t VALUES (1, 6, 7)")
    assert log(t) == [
        ("010901", "-1", None, 5, 4, 5, 0),
        ("010901", "a", 6, 2, 4, 5, 1),
        ("010901", "b", 7, 2, 4, 5, 2),
    ]


def test_upsert_is_what_it_comes_to(t: Database) -> None:
    upsert = "INSERT INTO t VALUES (1, 2, 3) ON CONFLICT DO UPDATE SET a = 9"
    t.run(upsert)
    t.run(upsert)
    assert log(t) == [("010901", "b", 3, 1, 1, 1, 1), ("010901", "a", 9, 2, 2, 1, 0)]


def test_table_of_keys_alone(db: Database) -> None:
    db.run("CREATE TABLE t (id PRIMARY KEY NOT NULL); SELECT crsql_as_crr('t')")
    db.run("INSERT INTO t VALUES (1)")
    assert log(db) == [("010901", "-1", None, 1, 1, 1, 0)]
    db.run("INSERT OR REPLACE INTO t VALUES (1)")
    assert log(db) == [("010901", "-1", None, 3, 2, 3, 0)]
    db.run("DELETE FROM t")
    assert log(db) == [("010901", "-1", None, 4, 3, 4, 0)]
    db.run("INSERT INTO t VALUES (1)")
    assert log(db) == [("010901", "-1", None, 5, 4, 5, 0)]


def test_key_update_is_a_delete_and_a_row(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); UPDATE t SET id = 5, a = 9")
    sentinels = [row for row in log(t) if row[1] == "-1"]
    assert [row[:4] + row[5:6] for row in sentinels] == [
        ("010901", "-1", None, 2, 2),
        ("010905", "-1", None, 1, 1),
    ]
    cells = {row[1]: row[:4] + row[5:6] for row in log(t) if row[1] != "-1"}
    assert cells == {"a": ("010905", "a", 9, 2, 1), "b": ("010905", "b", 3, 1, 1)}


def test_key_of_another_case_is_another_key(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id PRIMARY KEY NOT NULL COLLATE NOCASE, a); SELECT crsql_as_crr('t')"
    )
    db.run("INSERT INTO t VALUES ('A', 1); UPDATE t SET id = 'a'")
    assert {(row.pk.hex(), row.cl) for row in changes(db)} == {("010b0141", 2), ("010b0161", 1)}


def test_seq_runs_through_a_transaction_and_leaves_gaps(t: Database) -> None:
    t.run(
        "BEGIN; INSERT INTO t VALUES (1, 2, 3); SAVEPOINT s; UPDATE t SET a = 3; ROLLBACK TO s;"
        "UPDATE t SET b = 4; COMMIT"
    )
    assert [(row.cid, row.seq) for row in changes(t)] == [("a", 0), ("b", 3)]


def test_writes_of_triggers_are_local_writes(t: Database) -> None:
    t.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, n); SELECT crsql_as_crr('u')")
    t.run("CREATE TRIGGER more AFTER INSERT ON t BEGIN INSERT INTO u VALUES (new.id, 7); END")
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    found = {(row.table, row.cid, row.val) for row in changes(t)}
    assert found == {("t", "a", 2), ("t", "b", 3), ("u", "n", 7)}


def test_generated_columns_are_not_tracked(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id PRIMARY KEY NOT NULL, g AS (a + 1), a); SELECT crsql_as_crr('t')"
    )
    db.run("INSERT INTO t VALUES (1, 2); UPDATE t SET a = 3")
    assert log(db) == [("010901", "a", 3, 2, 2, 1, 0)]


# Reading crsql_changes


def test_columns_of_changes(db: Database) -> None:
    columns = db.run(
        "SELECT name, type FROM pragma_table_xinfo('crsql_changes') WHERE NOT hidden"
    )
    assert columns == [
        ("table", "TEXT"),
        ("pk", "BLOB"),
        ("cid", "TEXT"),
        ("val", "ANY"),
        ("col_version", "INTEGER"),
        ("db_version", "INTEGER"),
        ("site_id", "BLOB"),
        ("cl", "INTEGER"),
        ("seq", "INTEGER"),
    ]


@pytest.mark.parametrize(
    "sql", ["DELETE FROM crsql_changes WHERE 1", "UPDATE crsql_changes SET cl = 1"]
)
def test_changes_are_neither_deleted_nor_updated(t: Database, sql: str) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    with pytest.raises(SqlError) as caught:
        t.run(sql)
    assert caught.value.message == (
        "Only INSERT and SELECT statements are allowed against the crsql changes table"
    )
    assert caught.value.primary == 21


def busy(db: Database) -> None:
    """Give t, and a second table, changes of two sites and several versions."""
    db.run("CREATE TABLE u (id PRIMARY KEY NOT NULL, a); SELECT crsql_as_crr('u')")
    db.run("INSERT INTO t VALUES (1, 2, 3), (2, 'x', NULL); INSERT INTO u VALUES ('k', 2.5)")
    db.run("UPDATE t SET a = 7 WHERE id = 1; DELETE FROM t WHERE id = 2")
    apply(db, [change("a", 5, 3, pk="010904", db_version=9), change("b", 1, 4, db_version=2)])
    apply(db, [change("a", 1, 1, pk="0101", table="u", site=OTHER, seq=4)])


def key_of(row: tuple[Value, ...]) -> tuple[object, ...]:
    ranks: dict[type, int] = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}
    return tuple((ranks[type(value)], value or 0) for value in row)


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ("cid = ?1", ["a"]),
        ("cid != ?1", ["a"]),
        ("cid > ?1", ["-1"]),
        ("cid LIKE ?1", ["A%"]),
        ("cid GLOB ?1", ["[ab]"]),
        ("cid IN (?1, ?2)", ["a", "-1"]),
        ("col_version >= ?1", [3]),
        ("col_version = ?1", ["3"]),
        ("db_version > ?1", [2]),
        ("db_version > ?1 AND db_version <= ?2", [1, 4]),
        ("db_version BETWEEN ?1 AND ?2", [2, 3]),
        ("db_version IS ?1", [2]),
        ("db_version IS NOT ?1", [2]),
        ("db_version > ?1", [2.5]),
        ("site_id = ?1", [SITE]),
        ("site_id IS ?1", [SITE]),
        ("site_id IS NOT ?1", [SITE]),
        ("site_id != ?1 AND db_version > ?2", [SITE, 1]),
        ("site_id IN (?1, ?2)", [SITE, OTHER]),
        ("site_id NOT IN (?1, ?2)", [SITE, OTHER]),
        ("site_id = crsql_site_id()", []),
        ("site_id IS NOT NULL", []),
        ("cl = ?1", [2]),
        ("cl % 2 = ?1", [0]),
        ("seq < ?1", [2]),
        ("[table] = ?1", ["t"]),
        ("[table] = ?1 AND pk = ?2", ["t", b"\x01\x09\x01"]),
        ("[table] IN (?1, ?2) AND cid = 'a'", ["t", "u"]),
        ("pk = ?1", [b"\x01\x09\x01"]),
        ("pk = ?1 OR seq = ?2", [b"\x01\x09\x01", 4]),
        ("val = ?1", [7]),
        ("val IS NULL", []),
        ("typeof(val) = ?1", ["real"]),
        ("rowid IS NOT NULL", []),
    ],
)
def test_filter(t: Database, where: str, values: list[Value]) -> None:
    busy(t)
    t.run(f"CREATE TABLE plain AS SELECT {', '.join(COLUMNS)} FROM crsql_changes")
    expected = t.run(f"SELECT {', '.join(COLUMNS)} FROM plain WHERE {where}", *values)
    found = [tuple(row) for row in changes(t, where, *values)]
    assert sorted(found, key=key_of) == sorted(expected, key=key_of)


COLUMNS = ["[table]", "pk", "cid", "val", "col_version", "db_version", "site_id", "cl", "seq"]


def test_default_order_is_version_and_seq(t: Database) -> None:
    busy(t)
    order = [(row.db_version, row.seq) for row in changes(t)]
    assert order == sorted(order)


def test_changes_of_an_open_transaction_are_seen(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); BEGIN; UPDATE t SET a = 4")
    assert log(t, "db_version > 1") == [("010901", "a", 4, 2, 2, 1, 0)]
    t.run("ROLLBACK")
    assert log(t, "db_version > 1") == []


def test_a_cell_without_its_row_reads_as_null(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); SELECT crsql_internal_sync_bit(1); DELETE FROM t")
    assert {row.val for row in changes(t)} == {None}


# Merging


def test_merge_makes_the_row_and_keeps_the_versions(t: Database) -> None:
    apply(
        t, [change("a", "x", 7, db_version=40, seq=3), change("b", 2, 5, db_version=41, seq=9)]
    )
    assert t.run("SELECT * FROM t") == [(1, "x", 2)]
    assert log(t) == [("010901", "a", "x", 7, 40, 1, 3), ("010901", "b", 2, 5, 41, 1, 9)]
    assert {row.site_id for row in changes(t)} == {SITE}
    assert one(t, "SELECT crsql_db_version()") == 41


def test_merged_version_is_never_before_the_own(t: Database) -> None:
    t.run("INSERT INTO t VALUES (9, 0, 0); UPDATE t SET a = 1; UPDATE t SET a = 2")
    apply(t, [change("a", "x", 7, db_version=1, seq=3)])
    assert log(t, "pk = x'010901'") == [("010901", "a", "x", 7, 4, 1, 3)]
    assert one(t, "SELECT crsql_db_version()") == 4


def test_sites_get_ordinals_at_their_first_win(t: Database) -> None:
    apply(t, [change("a", 1, 1, site=OTHER), change("a", 0, 1), change("b", 1, 1)])
    found = t.run(
        "SELECT site_id, ordinal FROM crsql_site_id WHERE ordinal > 0 ORDER BY ordinal"
    )
    assert found == [(OTHER, 1), (SITE, 2)]


VALUES: list[Value] = [
    None, b"", b"\0", b"a", b"a\0", b"b", "", "a", "a\0", "a\0b", "b", "é", -1e300, -0.5, 0.5,
    2.5, 1e300, -(2**63), -1, 0, 1, 2, 2**63 - 1,
]  # fmt: skip


def test_greater_value_wins_a_tie(t: Database) -> None:
    """The order is NULL, blobs, texts, reals, integers; within them as usual."""
    for low, high in itertools.pairwise(VALUES):
        t.run("DELETE FROM t; SELECT crsql_as_table('t'); SELECT crsql_as_crr('t')")
        apply(t, [change("a", low, 3), change("a", high, 3, site=OTHER)])
        apply(t, [change("b", high, 3), change("b", low, 3, site=OTHER)])
        ((a, b),) = t.run("SELECT a, b FROM t")
        assert (exact(a), exact(b)) == (exact(high), exact(high)), (low, high)
        assert [row.site_id for row in changes(t)] == [OTHER, SITE]


def test_larger_version_wins_whatever_the_value(t: Database) -> None:
    apply(t, [change("a", 10, 2), change("a", None, 3), change("a", 11, 1)])
    assert t.run("SELECT * FROM t") == [(1, None, None)]


def test_equal_value_changes_nothing(t: Database) -> None:
    apply(t, [change("a", 10, 2)])
    before = changes(t)
    apply(t, [change("a", 10, 2, site=OTHER, db_version=9, seq=4)])
    assert changes(t) == before


def test_delete_wins_over_what_is_alive(t: Database) -> None:
    apply(t, [change("a", 1, 9), change("-1", None, 2, cl=2, db_version=5, seq=7, site=OTHER)])
    assert t.run("SELECT * FROM t") == []
    assert log(t) == [("010901", "-1", None, 2, 5, 2, 7)]
    apply(t, [change("a", 1, 99)])
    assert t.run("SELECT * FROM t") == []
    assert len(changes(t)) == 1


def test_second_delete_is_ignored(t: Database) -> None:
    apply(t, [change("-1", None, 2, cl=2)])
    before = changes(t)
    apply(t, [change("-1", None, 2, cl=2, site=OTHER, db_version=8)])
    assert changes(t) == before


def test_later_life_resets_the_cells(t: Database) -> None:
    apply(t, [change("a", 1, 9, seq=5), change("b", 1, 9, seq=6)])
    apply(t, [change("-1", None, 3, cl=3, db_version=5, seq=0, site=OTHER)])
    assert log(t) == [
        ("010901", "-1", None, 3, 5, 3, 0),
        ("010901", "a", 1, 0, 5, 3, 5),
        ("010901", "b", 1, 0, 5, 3, 6),
    ]
    apply(t, [change("a", 0, 1, cl=3, db_version=5, seq=1, site=OTHER)])
    assert t.run("SELECT * FROM t") == [(1, 0, 1)]


def test_column_of_a_later_life_resurrects(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); DELETE FROM t")
    apply(t, [change("a", "again", 1, cl=3, db_version=9, seq=4)])
    assert t.run("SELECT * FROM t") == [(1, "again", None)]
    assert log(t) == [
        ("010901", "-1", None, 3, 9, 3, 4),
        ("010901", "a", "again", 1, 9, 3, 4),
    ]


def test_unknown_row_with_a_life_behind_it(t: Database) -> None:
    apply(t, [change("a", 1, 1, cl=5)])
    assert [(row.cid, row.col_version, row.cl) for row in changes(t)] == [
        ("-1", 5, 5),
        ("a", 1, 5),
    ]


def test_sentinel_alone_makes_a_row_of_defaults(t: Database) -> None:
    apply(t, [change("-1", None, 1, cl=1)])
    assert t.run("SELECT * FROM t") == [(1, None, None)]
    assert log(t) == [("010901", "-1", None, 1, 1, 1, 0)]


def test_earlier_life_is_ignored(t: Database) -> None:
    apply(t, [change("-1", None, 3, cl=3), change("a", 1, 1, cl=3)])
    before = changes(t)
    apply(t, [change("a", 9, 9, cl=1, site=OTHER), change("-1", None, 2, cl=2, site=OTHER)])
    apply(t, [change("a", 9, 9, cl=0), change("a", 9, 9, cl=-1)])
    assert changes(t) == before


@pytest.mark.parametrize("site", [None, b""])
def test_merge_without_site_is_local(t: Database, site: bytes | None) -> None:
    apply(t, [change("a", 1, 1, site=site)])
    own = one(t, "SELECT crsql_site_id()")
    assert [row.site_id for row in changes(t)] == [own]


def test_short_site_is_kept(t: Database) -> None:
    apply(t, [change("a", 1, 1, site=b"\xaa")])
    assert [row.site_id for row in changes(t)] == [b"\xaa"]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (change("a", 1, 1, table="x"), "could not find the schema information for table x"),
        (change("a", 1, 1, table="x" * 2049), "table name exceeded max length"),
        (change("c" * 2049, 1, 1), "column name exceeded max length"),
        (change("a", 1, 1, site=bytes(17)), "site id exceeded max length"),
    ],
)
def test_refused_change(t: Database, row: tuple[Value, ...], text: str) -> None:
    with pytest.raises(SqlError) as caught:
        apply(t, [row])
    assert caught.value.message == f"crsql - {text}"
    assert changes(t) == [] and t.run("SELECT * FROM t") == []


def test_unknown_column_is_refused(t: Database) -> None:
    with pytest.raises(SqlError):
        apply(t, [change("nope", 1, 1)])
    assert changes(t) == [] and t.run("SELECT * FROM t") == []


def test_constraint_stops_a_merge(db: Database) -> None:
    db.run(
        "CREATE TABLE t (id PRIMARY KEY NOT NULL, a CHECK (a < 9)); SELECT crsql_as_crr('t')"
    )
    with pytest.raises(SqlError) as caught:
        apply(db, [change("a", 9, 1)])
    assert caught.value.primary == 19
    assert changes(db) == [] and db.run("SELECT * FROM t") == []


def test_equal_values_can_be_settled_by_site(our_db: Database) -> None:
    our_db.run("CREATE TABLE t (id PRIMARY KEY NOT NULL, a, b); SELECT crsql_as_crr('t')")
    our_db.run("SELECT crsql_config_set('merge-equal-values', 1)")
    apply(our_db, [change("a", 1, 1, site=SITE), change("a", 1, 1, site=OTHER, db_version=3)])
    assert [row.site_id for row in changes(our_db)] == [OTHER]
    apply(our_db, [change("a", 1, 1, site=SITE, db_version=4)])
    assert [row.site_id for row in changes(our_db)] == [OTHER]


# Backfill and alter


def test_rows_from_before_are_recorded_in_key_order(db: Database) -> None:
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a DEFAULT 5, b)")
    db.run("INSERT INTO t (id) VALUES (3), (1); SELECT crsql_as_crr('t')")
    assert log(db) == [
        ("010901", "a", 5, 1, 1, 1, 0),
        ("010901", "b", None, 1, 1, 1, 1),
        ("010903", "a", 5, 1, 1, 1, 2),
        ("010903", "b", None, 1, 1, 1, 3),
    ]


def test_keys_from_before_are_recorded_as_sentinels(db: Database) -> None:
    db.run("CREATE TABLE t (id PRIMARY KEY NOT NULL); INSERT INTO t VALUES (1), (2)")
    db.run("SELECT crsql_as_crr('t')")
    assert log(db) == [("010901", "-1", None, 1, 1, 1, 0), ("010902", "-1", None, 1, 1, 1, 1)]


def alter(db: Database, *statements: str) -> None:
    assert one(db, "SELECT crsql_begin_alter('t')") == "OK"
    for sql in statements:
        db.run(sql)
    assert one(db, "SELECT crsql_commit_alter('t')") is None


def test_new_column_of_defaults_makes_no_change(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    before = changes(t)
    alter(t, "ALTER TABLE t ADD COLUMN c", "ALTER TABLE t ADD COLUMN d DEFAULT 7")
    assert changes(t) == before
    t.run("UPDATE t SET c = 1, d = 8")
    assert [(row.cid, row.col_version) for row in changes(t, "db_version > 1")] == [
        ("c", 1),
        ("d", 1),
    ]


def test_new_column_with_values_is_recorded(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3); UPDATE t SET a = 1")
    alter(t, "ALTER TABLE t ADD COLUMN c", "UPDATE t SET c = 9 WHERE id = 2")
    # The peer gives them a version that those who pull what is new have passed.
    version = {"ours": 3, "theirs": 2}[t.name]
    assert [row[:5] for row in log(t, "cid = 'c'")] == [("010902", "c", 9, 1, version)]
    assert one(t, "SELECT crsql_db_version()") == version


def test_dropped_column_is_forgotten_and_the_version_stays(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3); UPDATE t SET b = 4; UPDATE t SET b = 5")
    alter(t, "ALTER TABLE t DROP COLUMN b")
    assert log(t) == [("010901", "a", 2, 1, 1, 1, 0)]
    assert one(t, "SELECT crsql_db_version()") == 3
    t.run("UPDATE t SET a = 9")
    assert log(t) == [("010901", "a", 9, 2, 4, 1, 0)]


def test_tombstones_outlive_an_alter(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3); DELETE FROM t WHERE id = 1")
    alter(t, "ALTER TABLE t ADD COLUMN c")
    assert ("010901", "-1", None, 2, 2, 2, 0) in log(t)


def test_new_key_begins_anew(t: Database) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3), (2, 2, 3); DELETE FROM t WHERE id = 1")
    alter(
        t,
        "CREATE TABLE n (id NOT NULL, a NOT NULL, b, PRIMARY KEY (id, a))",
        "INSERT INTO n SELECT * FROM t",
        "DROP TABLE t",
        "ALTER TABLE n RENAME TO t",
    )
    assert [(row.pk.hex(), row.cid, row.val) for row in changes(t)] == [("0209020902", "b", 3)]


REBUILT = [
    ("CREATE TABLE n (id INTEGER PRIMARY KEY, a)", NO_KEY),
    ("CREATE TABLE n (a)", NO_KEY),
    ("CREATE TABLE n (id INTEGER PRIMARY KEY NOT NULL, a UNIQUE)", UNIQUE),
    ("CREATE TABLE n (id INTEGER PRIMARY KEY NOT NULL, a REFERENCES t)", FOREIGN),
    ("CREATE TABLE n (id INTEGER PRIMARY KEY NOT NULL, a NOT NULL)", DEFAULT),
]


@pytest.mark.parametrize(("create", "why"), REBUILT)
def test_alter_into_what_may_not_be_a_crr(t: Database, create: str, why: str) -> None:
    t.run("INSERT INTO t VALUES (1, 2, 3)")
    before = changes(t), t.run("SELECT * FROM t")
    t.run(f"SELECT crsql_begin_alter('t'); {create}; DROP TABLE t; ALTER TABLE n RENAME TO t")
    message = refusal(t, "SELECT crsql_commit_alter('t')")
    assert message.startswith("failed compacting tables post alteration")
    if t.name == "ours":
        assert message.endswith(f": {why}")
    assert (changes(t), t.run("SELECT * FROM t")) == before
    t.run("UPDATE t SET a = 4")
    assert [row.val for row in changes(t, "col_version = 2")] == [4]


def test_commit_of_an_alter_that_leaves_no_table(db: Database) -> None:
    text = "failed compacting tables post alteration"
    assert refusal(db, "SELECT crsql_commit_alter('nope')").startswith(text)


def test_automigrate(db: Database) -> None:
    # Lines that make CRRs are left out where the schemas are compared.
    schema = (
        "CREATE TABLE IF NOT EXISTS t (id PRIMARY KEY NOT NULL, a{});\n"
        "SELECT crsql_as_crr('t');\n"
    )
    migrate = "SELECT crsql_automigrate(?1, 'SELECT crsql_finalize()')"
    assert one(db, migrate, schema.format("")) == "migration complete"
    db.run("INSERT INTO t VALUES (1, 2)")
    assert one(db, migrate, schema.format(", c")) == "migration complete"
    db.run("UPDATE t SET c = 4")
    assert [(row.cid, row.val) for row in changes(db)] == [("a", 2), ("c", 4)]
    assert one(db, migrate, schema.format("")) == "migration complete"
    assert db.run("SELECT * FROM t") == [(1, 2)]
    assert [(row.cid, row.val) for row in changes(db)] == [("a", 2)]


def test_automigrate_without_schema(db: Database) -> None:
    text = "Had no args. Expected a schema to migrate to"
    assert refusal(db, "SELECT crsql_automigrate()") == text


def test_clset_makes_and_drops_a_crr(db: Database) -> None:
    db.run("CREATE VIRTUAL TABLE foo_schema USING clset (id INTEGER PRIMARY KEY NOT NULL, b)")
    db.run("INSERT INTO foo VALUES (1, 2)")
    assert [(row.table, row.cid, row.val) for row in changes(db)] == [("foo", "b", 2)]
    db.run("DROP TABLE foo_schema")
    assert one(db, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'foo%'") == 0


# Fractional keys


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        (None, None, "a "),
        ("a ", None, "a!"),
        ("a!", None, 'a"'),
        (None, "a ", "Z~"),
        (None, "Z ", "Y~~"),
        ("a ", "a!", "a P"),
        ("a P", "a Q", "a PP"),
        ("a P", "a P!", "a P P"),
        ("Z~", "a ", "Z~P"),
        ("Zz", "a ", "Z{"),
        ("a~", None, "b  "),
        ("z" + "~" * 26, None, "z" + "~" * 26 + "P"),
    ],
)
def test_key_between(db: Database, before: Value, after: Value, key: str) -> None:
    assert one(db, "SELECT crsql_fract_key_between(?1, ?2)", before, after) == key


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("a!", "a ", "key_between - a must be before b"),
        ("!", None, "head is out of range"),
        (None, "|", "head is out of range"),
        (1, 2, "head is out of range"),
        ("b", None, "integer part of key is too long"),
        (None, "Z", "integer part of key is too long"),
        ("a 0 ", None, "Fractional part should not end with ' ' (space)"),
    ],
)
def test_no_key_between(db: Database, before: Value, after: Value, text: str) -> None:
    assert refusal(db, "SELECT crsql_fract_key_between(?1, ?2)", before, after) == text


def test_ordered_list(db: Database) -> None:
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, pos, list)")
    db.run("SELECT crsql_fract_as_ordered('t', 'pos', 'list')")
    db.run("INSERT INTO t VALUES (1, -1, 1), (2, 1, 1), (3, 1, 1), (4, -1, 1), (5, 1, 2)")
    in_order = "SELECT id, pos FROM t ORDER BY pos, id"
    assert db.run(in_order) == [(4, "Z~"), (1, "a "), (5, "a "), (2, "a!"), (3, 'a"')]
    db.run("INSERT INTO t_fractindex (id, list, after_id) VALUES (6, 1, 1)")
    assert one(db, "SELECT pos FROM t WHERE id = 6") == "a P"
    db.run("UPDATE t_fractindex SET after_id = 3 WHERE id = 1")
    db.run("UPDATE t_fractindex SET after_id = NULL WHERE id = 6")
    assert db.run(in_order) == [
        (6, "Z}"),
        (4, "Z~"),
        (5, "a "),
        (2, "a!"),
        (3, 'a"'),
        (1, "a#"),
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", "Must provide at least 2 arguments -- the table name and the column to order by"),
        (
            "'t'",
            "Must provide at least 2 arguments -- the table name and the column to order by",
        ),
        ("'t', 'zz'", "all columns are not present in the base table"),
        ("'t', 'a', 'zz'", "all columns are not present in the base table"),
    ],
)
def test_refused_ordering(t: Database, arguments: str, text: str) -> None:
    assert refusal(t, f"SELECT crsql_fract_as_ordered({arguments})") == text
