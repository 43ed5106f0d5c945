"""Functions on top of the changes: ordered lists, automigrate, clset, conversion.

The same statements run in our database and in cr-sqlite's own; where ours goes
further, the test says so and takes ours alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import rowtide
from crdt_peer import Database, SqlError, Value, changes, opened, ours
from crdt_peer.database import one

FINISH = "SELECT crsql_finalize()"  # the peer's scratch database needs it


@pytest.fixture(params=["ours", "theirs"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    with opened(request.param) as db:
        yield db


@pytest.fixture
def our_db() -> Iterator[Database]:
    with opened("ours") as db:
        yield db


@pytest.fixture
def both() -> Iterator[tuple[Database, Database]]:
    with opened("ours") as mine, opened("theirs") as other:
        yield mine, other


def refusal(db: Database, sql: str, *values: Value) -> str:
    with pytest.raises(SqlError) as caught:
        db.run(sql, *values)
    return caught.value.message


# ## crsql_fract_key_between

BETWEEN = "SELECT crsql_fract_key_between(?1, ?2)"
SEEDS: list[str | None] = [
    None, "a ", "Z~", "a!", "zz", "b  ", "bzz", "b~~", "Y~~", "Z ", "ZP",
    "A" + " " * 26 + "!", "z" + "~" * 26, "A" + "~" * 26, "y" + "~" * 25,
]  # fmt: skip


def outcome(db: Database, a: str | None, b: str | None) -> Value:
    try:
        return one(db, BETWEEN, a, b)
    except SqlError as error:
        return error.message


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (None, None, "a "),
        ("a ", None, "a!"),
        (None, "a ", "Z~"),
        ("a ", "a!", "a P"),
        ("a!", "a ", "key_between - a must be before b"),
        ("-1", None, "head is out of range"),
        ("a", None, "integer part of key is too long"),
        ("a! ", None, "Fractional part should not end with ' ' (space)"),
        (None, "A" + " " * 26, "Key is too small"),
        ("a\n", None, "invalid digit"),
        ("a b", "a b\n", "midpoint - b has invalid digits"),
    ],
)
def test_key_between(db: Database, a: str | None, b: str | None, expected: str) -> None:
    assert outcome(db, a, b) == expected


def test_key_between_is_the_same_everywhere(both: tuple[Database, Database]) -> None:
    mine, other = both
    random_ = random.Random(20)
    pool = list(SEEDS)
    for _ in range(1500):
        a, b = random_.choice(pool), random_.choice(pool)
        if random_.random() < 0.2 and a:
            a = a[: random_.randint(1, len(a))] + random_.choice(["!", "P", "~", " ", "}"])
        if a is not None and a == b:
            continue  # the peer ends its process
        key = outcome(mine, a, b)
        assert key == outcome(other, a, b), (a, b)
        if isinstance(key, str) and key[:1] in "aAbBzZyY" and len(key) < 60:
            pool = [*SEEDS, *pool[-40:], key]


@pytest.mark.parametrize(("a", "b"), [("a ", "a "), ("", None), (None, ""), ("aé", None)])
def test_bad_keys_are_errors(our_db: Database, a: str | None, b: str | None) -> None:
    assert refusal(our_db, BETWEEN, a, b)


# ## crsql_fract_as_ordered

TODO = "CREATE TABLE todo (id INTEGER PRIMARY KEY NOT NULL, list, ord, body)"
VIEW = "todo_fractindex"
ORD = "SELECT ord FROM todo"
ORDER = "SELECT id, list, ord FROM todo ORDER BY list, ord, id"


def ordered(db: Database) -> Database:
    db.run(TODO)
    db.run("SELECT crsql_fract_as_ordered('todo', 'ord', 'list')")
    return db


def test_ordered_lists_are_the_same_everywhere(both: tuple[Database, Database]) -> None:
    random_ = random.Random(7)
    for db in both:
        ordered(db)
    for step in range(120):
        ids = [row[0] for row in both[0].run("SELECT id FROM todo ORDER BY id")]
        some = random_.choice(ids) if ids else 1
        other = random_.choice(ids) if ids else 1
        sql = random_.choice(
            [
                f"INSERT INTO todo (id, list, ord) VALUES ({step}, 'a', 1)",
                f"INSERT INTO todo (id, list, ord) VALUES ({step}, 'b', -1)",
                f"INSERT INTO {VIEW} (id, list, after_id) VALUES ({step}, 'a', {some})",
                f"INSERT INTO {VIEW} (id, list, after_id) VALUES ({step}, 'b', NULL)",
                f"UPDATE todo_fractindex SET after_id = {some} WHERE id = {other}",
                f"UPDATE todo SET ord = 1 WHERE id = {some}",
                f"UPDATE todo SET ord = -1 WHERE id = {some}",
                f"UPDATE todo SET ord = ({ORD} WHERE id = {some}) WHERE id = {other}",
            ]
        )
        results = []
        for db in both:
            try:
                db.run(sql)
                results.append("")
            except SqlError as error:
                results.append(error.message)
        assert results[0] == results[1], sql
        assert both[0].run(ORDER) == both[1].run(ORDER), sql


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "'t'",
            "Must provide at least 2 arguments -- the table name and the column to order by",
        ),
        ("'nope', 'a'", "all columns are not present in the base table"),
        ("'t', 'ord', 'nope'", "all columns are not present in the base table"),
        ("'t', 'ord', 'l', 'l'", "all columns are not present in the base table"),
        ("'t', NULL", "all columns are not present in the base table"),
        ("'nokey', 'a'", "Failed creating view for the base table"),
        ("'v', 'a'", "Failed creating triggers for the base table"),
    ],
)
def test_as_ordered_refuses(db: Database, arguments: str, message: str) -> None:
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, l, ord)")
    db.run("CREATE TABLE nokey (a, b); CREATE VIEW v AS SELECT 1 AS a")
    assert refusal(db, f"SELECT crsql_fract_as_ordered({arguments})") == message


def test_as_ordered_keeps_what_was_there_if_it_fails(our_db: Database) -> None:
    ordered(our_db)
    before = our_db.run("SELECT name FROM sqlite_master ORDER BY name")
    refusal(our_db, "SELECT crsql_fract_as_ordered('todo', 'ord', 'list', 'list')")
    assert our_db.run("SELECT name FROM sqlite_master ORDER BY name") == before


@pytest.mark.parametrize("kind", ["", "WITHOUT ROWID"])
def test_any_table_can_be_ordered(our_db: Database, kind: str) -> None:
    table, view = (f'"it\'s a ""list{end}"' for end in ('""', '""_fractindex'))
    key = '"k 1" NOT NULL, "k\'2" NOT NULL, PRIMARY KEY ("k\'2", "k 1")'
    our_db.run(f'CREATE TABLE {table} ("or\'d" TEXT, "l 1", {key}) {kind}')
    name = 'it\'s a "list"'
    our_db.run("SELECT crsql_fract_as_ordered(?1, 'or''d', 'l 1')", name)
    for number in range(3):
        our_db.run(f"INSERT INTO {table} VALUES (1, NULL, {number}, 'x')")
    our_db.run(f"""UPDATE {table} SET "or'd" = 'a!'""")
    names = """("k 1", "k'2", "after_k 1", "after_k'2")"""
    our_db.run(f"INSERT INTO {view} {names} VALUES (9, 'y', 1, 'x')")
    our_db.run(f"""UPDATE {table} SET "or'd" = -1 WHERE "k 1" = 2""")
    rows = our_db.run(f"""SELECT "k 1" FROM {table} ORDER BY "or'd\"""")
    assert [row[0] for row in rows] == [2, 1, 9, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'t', 'o'", "Too few arguments to fix_conflict_return_old_key"),
        (
            "'t', 'o', 'l', -1, 'id'",
            "Incorrect number of primary keys and values provided. Must have at least 1 "
            "primary key.",
        ),
        ("'t', 'o', 'l', -1, 'id', 99", "Failed fixing up ordering conflicts on insert"),
        ("'t', 'nope', -1, 'id', 1", "Failed fixing up ordering conflicts on insert"),
    ],
)
def test_fix_conflict_refuses(db: Database, arguments: str, message: str) -> None:
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, l, o)")
    call = f"SELECT crsql_fract_fix_conflict_return_old_key({arguments})"
    assert refusal(db, call) == message


# ## crsql_unpack_columns


def test_unpack(db: Database) -> None:
    packed = one(db, "SELECT crsql_pack_columns(1, 'ab', NULL, x'01', 2.5, -1)")
    rows = db.run("SELECT cell FROM crsql_unpack_columns WHERE package = ?1", packed)
    assert rows == [(1,), ("ab",), (None,), (b"\x01",), (2.5,), (-1,)]
    assert db.run("SELECT cell FROM crsql_unpack_columns WHERE package = x'00'") == []


@pytest.mark.parametrize(
    "package", [b"", None, b"\x01", b"\x01\x09", b"\x01\x00", b"\x02\x01", b"\x01\x49123456789"]
)
def test_unpack_refuses(our_db: Database, package: Value) -> None:
    assert refusal(our_db, "SELECT cell FROM crsql_unpack_columns WHERE package = ?1", package)


# ## crsql_automigrate

FIRST = """
    CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY NOT NULL, x, y TEXT DEFAULT 'q');
    SELECT crsql_as_crr('a');
    CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY NOT NULL, x);
    CREATE INDEX IF NOT EXISTS bx ON b (x);
"""
SECOND = FIRST.replace("y TEXT DEFAULT 'q'", "z INT NOT NULL DEFAULT 7")


def migrate(db: Database, schema: str) -> Value:
    return one(db, "SELECT crsql_automigrate(?1, ?2)", schema, FINISH)


def log(db: Database) -> list[tuple[Value, ...]]:
    return [
        (c.table, c.pk, c.cid, c.val, c.col_version, c.db_version, c.cl, c.seq)
        for c in changes(db)
    ]


def columns(db: Database, table: str) -> list[tuple[Value, ...]]:
    return db.run('SELECT name, type, "notnull", dflt_value FROM pragma_table_info(?1)', table)


def test_automigrate(both: tuple[Database, Database]) -> None:
    found = []
    for db in both:
        assert migrate(db, FIRST) == "migration complete"
        db.run("INSERT INTO a (id, x) VALUES (1, 2); INSERT INTO b VALUES (1, 2)")
        assert migrate(db, FIRST) == "migration complete"
        assert one(db, "SELECT crsql_db_version()") == 1
        assert migrate(db, SECOND) == "migration complete"
        db.run("UPDATE a SET z = 8")
        found.append((log(db), columns(db, "a"), columns(db, "b"), db.run("SELECT * FROM a")))
    assert found[0] == found[1]


def test_automigrate_without_a_schema(db: Database) -> None:
    expected = "Had no args. Expected a schema to migrate to"
    assert refusal(db, "SELECT crsql_automigrate()") == expected


def test_automigrate_takes_any_layout_of_the_text(our_db: Database) -> None:
    schema = (
        "CREATE TABLE IF NOT EXISTS a (id INTEGER PRIMARY KEY NOT NULL, -- crsql_as_crr(',\n"
        " x DEFAULT 'select crsql_as_crr(1);'); SELECT\ncrsql_as_crr('a'); CREATE TABLE "
        "IF NOT EXISTS c (id INTEGER PRIMARY KEY); SELECT crsql_as_crr('a')"
    )
    assert migrate(our_db, schema) == "migration complete"
    our_db.run("INSERT INTO a (id) VALUES (1)")
    assert [change[2:4] for change in log(our_db)] == [("x", "select crsql_as_crr(1);")]


def test_automigrate_keeps_all_of_a_definition(our_db: Database) -> None:
    migrate(our_db, FIRST)
    wanted = FIRST.replace("id INTEGER PRIMARY KEY NOT NULL, x);",
        "id INTEGER PRIMARY KEY NOT NULL, x, w TEXT COLLATE NOCASE CHECK (w <> ','), "
        "g AS (x + 1) -- last\n);")  # fmt: skip
    assert wanted != FIRST
    migrate(our_db, wanted)
    our_db.run("INSERT INTO b (id, x, w) VALUES (1, 2, 'A')")
    assert our_db.run("SELECT g FROM b WHERE w = 'a'") == [(3,)]
    assert "CHECK" in refusal(our_db, "UPDATE b SET w = ','")


def test_automigrate_drops_a_table_with_all_that_belongs_to_it(our_db: Database) -> None:
    migrate(our_db, FIRST + "SELECT crsql_fract_as_ordered('a', 'x');")
    our_db.run("INSERT INTO a (id, x) VALUES (1, 1)")
    names = "SELECT name FROM sqlite_master WHERE name LIKE '%a\\_%' ESCAPE '\\' OR name = 'a'"
    assert ("a",) in our_db.run(names)
    migrate(our_db, "CREATE TABLE IF NOT EXISTS b (id INTEGER PRIMARY KEY NOT NULL, x);")
    assert [name for (name,) in our_db.run("SELECT name FROM sqlite_master")
            if str(name).startswith(("a", "__crsql_a"))] == []  # fmt: skip
    assert log(our_db) == []
    migrate(our_db, FIRST)
    our_db.run("INSERT INTO a (id) VALUES (1)")
    assert [change[2] for change in log(our_db)] == ["x", "y"]


def test_automigrate_sees_that_an_index_changed(our_db: Database) -> None:
    migrate(our_db, FIRST)
    migrate(our_db, FIRST.replace("b (x)", "b (x DESC) WHERE x > 1"))
    (sql,) = our_db.run("SELECT sql FROM sqlite_master WHERE name = 'bx'")
    assert "DESC" in str(sql)


def test_automigrate_alters_an_ordered_table(our_db: Database) -> None:
    order = "SELECT crsql_fract_as_ordered('a', 'x');"
    migrate(our_db, FIRST + order)
    migrate(our_db, SECOND + order)
    our_db.run("INSERT INTO a (id, x) VALUES (1, 1), (2, 1)")
    our_db.run("INSERT INTO a_fractindex (id, after_id, z) VALUES (3, 1, 9)")
    rows = our_db.run("SELECT id, z FROM a ORDER BY x")
    assert rows == [(1, 7), (3, 9), (2, 7)]


@pytest.mark.parametrize(
    "schema",
    [
        "garbage",
        FIRST.replace("b (id INTEGER PRIMARY", "b (id INTEGER NOT NULL, PRIMARY"),
        FIRST + "SELECT crsql_as_crr('nope');",
        FIRST.replace("b (id INTEGER PRIMARY KEY NOT NULL, x)",
                      "b (id INTEGER NOT NULL, x, k NOT NULL, PRIMARY KEY (id, k))"),
        SECOND + "INSERT INTO b VALUES (1, 2);",
    ],
)  # fmt: skip
def test_automigrate_is_all_or_nothing(our_db: Database, schema: str) -> None:
    migrate(our_db, FIRST)
    our_db.run("INSERT INTO a (id, x) VALUES (1, 2); INSERT INTO b VALUES (1, 2)")
    before = our_db.run("SELECT name, sql FROM sqlite_master ORDER BY 1"), log(our_db)
    our_db.run("BEGIN; INSERT INTO a (id, x) VALUES (2, 3)")
    message = refusal(our_db, "SELECT crsql_automigrate(?1)", schema)
    assert message.startswith("failed to apply the updated schema ")
    assert our_db.run("SELECT id FROM a ORDER BY id") == [(1,), (2,)]
    our_db.run("ROLLBACK")
    assert (our_db.run("SELECT name, sql FROM sqlite_master ORDER BY 1"), log(our_db)) == before
    our_db.run("INSERT INTO a (id, x) VALUES (3, 4)")
    assert log(our_db)[-2:] == [
        ("a", b"\x01\x09\x03", "x", 4, 1, 2, 1, 0),
        ("a", b"\x01\x09\x03", "y", "q", 1, 2, 1, 1),
    ]


@pytest.mark.parametrize("sql", ["ATTACH ?1 AS other", "VACUUM INTO ?1"])
def test_automigrate_leaves_other_files_alone(
    our_db: Database, tmp_path: Path, sql: str
) -> None:
    other = tmp_path / "other.db"
    schema = FIRST + sql.replace("?1", f"'{other}'")
    message = refusal(our_db, "SELECT crsql_automigrate(?1)", schema)
    assert message.endswith("SCHEMA: a schema may not attach other databases")
    assert not other.exists()


# ## clset


def test_clset(db: Database) -> None:
    db.run("CREATE VIRTUAL TABLE foo_schema USING clset (a INTEGER PRIMARY KEY NOT NULL, b)")
    db.run("INSERT INTO foo VALUES (1, 2)")
    assert log(db) == [("foo", b"\x01\x09\x01", "b", 2, 1, 1, 1, 0)]
    db.run("DROP TABLE foo_schema")
    assert db.run("SELECT name FROM sqlite_master WHERE name LIKE '%foo%'") == []
    assert log(db) == []


def test_clset_needs_its_name(db: Database) -> None:
    assert refusal(db, "CREATE VIRTUAL TABLE foo USING clset (a)") == (
        "foo MUST end with _schema. E.g., foo_schema. Two tables will be created: foo_schema "
        "for managing the CRDT schemas and foo for storing the data."
    )


def test_clset_says_why_a_table_cannot_take_part(db: Database) -> None:
    assert refusal(db, "CREATE VIRTUAL TABLE foo_schema USING clset (a PRIMARY KEY, b)") == (
        "Table foo has no primary key or primary key is nullable. CRRs must have a non "
        "nullable primary key"
    )


@pytest.mark.parametrize("name", ["foo", "bar"])
def test_clset_behind_a_table_that_was_dropped(our_db: Database, name: str) -> None:
    """What that left behind cannot be dropped while the statement runs."""
    create = "CREATE TABLE foo (a TEXT PRIMARY KEY NOT NULL, b); SELECT crsql_as_crr('foo')"
    our_db.run(f"{create}; INSERT INTO foo VALUES ('a', 1); DROP TABLE foo")
    our_db.run(f"CREATE VIRTUAL TABLE {name}_schema USING clset (a PRIMARY KEY NOT NULL, b)")
    our_db.run(f"INSERT INTO {name} VALUES ('a', 2)")
    assert [row[:4] for row in log(our_db)] == [(name, b"\x01\x0b\x01a", "b", 2)]
    our_db.run("CREATE TABLE other (a PRIMARY KEY NOT NULL); SELECT crsql_as_crr('other')")
    left = "SELECT count(*) FROM sqlite_master WHERE name GLOB 'rowtide_crdt_[rkf]*_[0-9]'"
    assert our_db.run(left) == [(6,)]
    assert [row[:4] for row in log(our_db)] == [(name, b"\x01\x0b\x01a", "b", 2)]


def test_clset_that_failed_leaves_nothing(our_db: Database) -> None:
    refusal(our_db, "CREATE VIRTUAL TABLE foo_schema USING clset (a PRIMARY KEY, b)")
    refusal(our_db, "CREATE VIRTUAL TABLE foo_schema USING clset")
    assert our_db.run("SELECT name FROM sqlite_master WHERE name LIKE '%foo%'") == []
    our_db.run("CREATE VIRTUAL TABLE foo_schema USING clset (a PRIMARY KEY NOT NULL, b)")
    assert our_db.run("SELECT 1 FROM foo_schema") == []


# ## Conversion

OLD = [
    "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b)",
    "CREATE TABLE k (x TEXT NOT NULL, y NOT NULL, v, PRIMARY KEY (y, x))",
    "CREATE TABLE only (id PRIMARY KEY NOT NULL)",
    "SELECT crsql_as_crr('t'); SELECT crsql_as_crr('k'); SELECT crsql_as_crr('only')",
    "INSERT INTO t VALUES (1, 2, 3), (2, 'x', NULL), (5, 1.5, x'00')",
    "INSERT INTO k VALUES ('a', 1, 'v'), ('b', x'ff', 2)",
    "UPDATE t SET b = 9 WHERE id = 1; DELETE FROM t WHERE id = 2",
    "INSERT INTO only VALUES ('o')",
    "UPDATE k SET x = 'c' WHERE x = 'a'; INSERT INTO t VALUES (2, 'again', 1)",
    "INSERT INTO crsql_changes VALUES ('t', x'010907', 'a', 'far', 4, 9, x'aabb', 3, 6)",
    "DELETE FROM only",
]
TABLES = ["crsql_site_id", "crsql_master", "crsql_tracked_peers", "t", "k", "only"]
TABLES += [
    f"{table}__crsql_{kind}" for table in ("t", "k", "only") for kind in ("clock", "pks")
]


def copy_file(source: Database, path: Path) -> None:
    """Write what a file of the peer holds: its own is in the memory of its process."""
    target = ours(path, entry_point=None)
    rows = source.run("SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL")
    for _, kind, sql in rows:
        if kind == "table":
            target.run(str(sql))
    for table in TABLES:
        values = source.run(f'SELECT * FROM "{table}"')
        target.run(f'DELETE FROM "{table}"')
        for row in values:
            marks = ", ".join(f"?{n + 1}" for n in range(len(row)))
            target.run(f'INSERT INTO "{table}" VALUES ({marks})', *row)
    for _, kind, sql in rows:
        if kind in ("index", "trigger"):
            target.run(str(sql))
    target.close()


@pytest.fixture
def old_file(tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """A database of cr-sqlite 0.16, still open, and its file."""
    with opened("theirs") as db:
        for sql in OLD:
            db.run(sql)
        copy_file(db, tmp_path / "old.db")
        yield db, tmp_path / "old.db"


def test_conversion_keeps_every_change(old_file: tuple[Database, Path]) -> None:
    old, path = old_file
    db = ours(path)
    assert one(db, "SELECT rowtide_crdt_convert()") == 3
    assert changes(db) == changes(old)
    for query in ("SELECT crsql_site_id()", "SELECT crsql_db_version()"):
        assert one(db, query) == one(old, query)
    for table in ("t", "k", "only"):
        assert db.run(f"SELECT * FROM {table}") == old.run(f"SELECT * FROM {table}")
    assert one(db, "SELECT rowtide_crdt_convert()") == 0
    db.close()


def test_a_converted_database_goes_on_as_the_old_one(old_file: tuple[Database, Path]) -> None:
    old, path = old_file
    db = ours(path)
    db.run("SELECT rowtide_crdt_convert()")
    for sql in (
        "UPDATE t SET a = 7 WHERE id = 7",
        "INSERT INTO only VALUES ('o'), ('p')",
        "DELETE FROM t WHERE id = 1",
        "INSERT INTO crsql_changes VALUES ('k', x'0209010b0163', 'v', 2, 8, 30, x'cc', 1, 0)",
        "INSERT INTO t VALUES (9, 9, 9)",
    ):
        old.run(sql)
        db.run(sql)
    assert changes(db) == changes(old)
    db.close()
    db = ours(path)
    assert changes(db) == changes(old)
    db.close()


def test_conversion_is_all_or_nothing(old_file: tuple[Database, Path]) -> None:
    _, path = old_file
    db = ours(path)
    db.run("CREATE UNIQUE INDEX u ON only (id, id)")
    before = db.run("SELECT name, sql FROM sqlite_master ORDER BY 1")
    assert "only" in refusal(db, "SELECT rowtide_crdt_convert()")
    assert db.run("SELECT name, sql FROM sqlite_master ORDER BY 1") == before
    db.run("DROP INDEX u")
    assert one(db, "SELECT rowtide_crdt_convert()") == 3
    db.close()


def test_conversion_clears_what_a_dropped_table_left(old_file: tuple[Database, Path]) -> None:
    _, path = old_file
    db = ours(path)
    db.run("DROP TABLE t")
    assert one(db, "SELECT rowtide_crdt_convert()") == 2
    assert {change.table for change in changes(db)} == {"k", "only"}
    assert db.run("SELECT name FROM sqlite_master WHERE name LIKE 't\\_\\_%' ESCAPE '\\'") == []
    db.close()


def test_writes_before_the_conversion_say_what_to_do(
    old_file: tuple[Database, Path],
) -> None:
    _, path = old_file
    db = ours(path)
    for sql in ("INSERT INTO t (id) VALUES (99)", "UPDATE t SET a = 0", "DELETE FROM k"):
        assert "rowtide_crdt_convert()" in refusal(db, sql)
    db.run("SELECT rowtide_crdt_convert()")
    db.run("DELETE FROM k")
    db.close()


def test_conversion_inside_a_transaction_can_be_taken_back(
    old_file: tuple[Database, Path],
) -> None:
    _, path = old_file
    db = ours(path)
    before = db.run("SELECT name, sql FROM sqlite_master ORDER BY 1")
    db.run("BEGIN")
    db.run("SELECT rowtide_crdt_convert()")
    db.run("ROLLBACK")
    assert db.run("SELECT name, sql FROM sqlite_master ORDER BY 1") == before
    db.close()


def test_a_database_with_nothing_to_convert(our_db: Database) -> None:
    assert one(our_db, "SELECT rowtide_crdt_convert()") == 0


def test_conversion_from_python(old_file: tuple[Database, Path]) -> None:
    old, path = old_file
    with rowtide.connect(path) as db:
        assert db.crdt.convert() == 3
        assert db.crdt.convert() == 0
        assert db.crdt.site_id == one(old, "SELECT crsql_site_id()")
        assert [tuple(change) for change in db.crdt.pull()] == changes(old)
