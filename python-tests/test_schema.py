"""Schemas as values: read, parse, look, print, compare."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from xml.etree import ElementTree

import pytest
import rowtide
from rowtide.schema import Column, Items, Schema

SHOP = """
CREATE TABLE customers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE ON CONFLICT REPLACE,
    name VARCHAR(40) DEFAULT 'nobody', -- who it is
    CONSTRAINT named CHECK (length(name) > 0)
);
CREATE TABLE orders (
    customer INTEGER REFERENCES customers ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    number INTEGER,
    net REAL,
    gross REAL GENERATED ALWAYS AS (net * 1.2) STORED,
    PRIMARY KEY (customer, number)
) WITHOUT ROWID;
CREATE INDEX by_name ON customers (lower(name), email DESC) WHERE name <> '';
CREATE VIEW names AS SELECT id, name FROM customers;
CREATE TRIGGER rename INSTEAD OF UPDATE ON names BEGIN SELECT 1; END;
CREATE VIRTUAL TABLE found USING fts5(text);
"""


@pytest.fixture(scope="module")
def shop() -> Schema:
    return Schema.parse(SHOP)


def test_tables_are_found_by_place_and_by_name(shop):
    assert [table.name for table in shop.tables][:2] == ["customers", "orders"]
    assert shop.tables["CUSTOMERS"] is shop.tables[0]
    assert "orders" in shop.tables and "names" not in shop.tables
    assert shop.views.names == ("names",)
    assert shop.tables.get("nothing") is None
    with pytest.raises(KeyError):
        shop.tables["nothing"]
    assert shop.tables[:2] == (shop.tables[0], shop.tables[1])


def test_a_column_says_all_that_is_written(shop):
    email = shop.tables["customers"].columns["email"]
    assert (email.type, email.affinity, email.not_null) == ("TEXT", "text", True)
    assert (email.collation, email.default_sql, email.primary_key) == ("NOCASE", None, 0)
    name = shop.tables["customers"].columns["name"]
    assert (name.type, name.affinity, name.default_sql) == ("VARCHAR(40)", "text", "'nobody'")
    gross = shop.tables["orders"].columns["gross"]
    assert gross.generated_as.replace(" ", "") == "net*1.2" and gross.stored
    assert [column.primary_key for column in shop.tables["orders"].columns] == [1, 2, 0, 0]


def test_constraints(shop):
    customers, orders = shop.tables["customers"], shop.tables["orders"]
    primary, unique = customers.keys
    assert primary.primary and primary.autoincrement and not unique.primary
    assert unique.on_conflict == "REPLACE" and unique.columns.names == ("email",)
    (named,) = customers.checks
    assert (named.name, named.expression) == ("named", "length(name) > 0")
    (key,) = orders.foreign_keys
    assert (key.columns, key.table, key.table_columns) == (("customer",), "customers", ())
    assert (key.on_delete, key.relation) == ("CASCADE", False)
    assert key.deferral == "DEFERRABLE INITIALLY DEFERRED"
    assert orders.without_rowid and not orders.strict and not customers.without_rowid


def test_indexes_triggers_and_virtual_tables(shop):
    (by_name,) = shop.tables["customers"].indexes
    first, second = by_name.columns
    assert (first.name, first.expression) == (None, "lower(name)")
    assert (second.name, second.descending) == ("email", True)
    assert by_name.where == "name <> ''" and not by_name.unique
    (rename,) = shop.views["names"].triggers
    assert (rename.timing, rename.event, rename.table) == ("INSTEAD OF", "UPDATE", "names")
    found = shop.tables["found"]
    assert (found.kind, found.module) == ("virtual", "fts5")
    assert shop.tables["found_data"].kind == "shadow"


def test_values_cannot_be_changed(shop):
    column = shop.tables[0].columns[0]
    with pytest.raises(AttributeError):
        column.name = "other"
    assert hash(column) == hash(Schema.parse(SHOP).tables[0].columns[0])
    assert column == Schema.parse(SHOP).tables[0].columns[0]
    assert copy.deepcopy(shop) is shop


def test_reprs_are_short(shop):
    assert repr(shop).startswith("<rowtide.Schema customers, orders, found")
    assert repr(shop.tables["customers"]) == (
        "<rowtide.schema.Table customers (id, email, name)>"
    )
    assert repr(shop.tables["orders"].columns["net"]) == "<rowtide.schema.Column net REAL>"
    for table in shop.tables:
        for thing in (*table.columns, *table.keys, *table.checks, *table.foreign_keys,
                      *table.indexes, *table.triggers, table.columns):  # fmt: skip
            assert repr(thing).startswith("<rowtide.schema.") and "\n" not in repr(thing)
    assert repr(Schema.parse("")) == "<rowtide.Schema without tables>"


def test_reading_a_database(make, shop):
    db = make(SHOP)
    schema = db.schema()
    assert schema == shop
    assert db.schema("customers", "Orders").tables.names == ("customers", "orders")
    assert db.schema("nothing").tables.names == ()
    assert db.schema("names").tables.names == (), "a view is no table"
    assert not [name for name in schema.tables.names if name.startswith("sqlite_")]


def test_reading_what_is_attached(db):
    db.execute("ATTACH ':memory:' AS side")
    db.execute("CREATE TABLE side.there (x)")
    db.execute("CREATE TEMP TABLE passing (y)")
    assert db.schema(schema="side").tables.names == ("there",)
    assert db.schema(schema="temp").tables.names == ("passing",)
    with pytest.raises(rowtide.Error) as caught:
        db.schema(schema="nowhere")
    assert "nowhere" in str(caught.value)


def test_tables_of_our_own_are_internal(db):
    db.undo_log().close()
    assert "rowtide_undo" not in db.schema().tables
    assert "rowtide_undo" in db.schema(internal=True).tables


def test_printing_and_reading_again(shop):
    again = Schema.parse(shop.to_sql())
    assert again == shop and again.to_sql() == shop.to_sql()
    assert "-- who it is" in shop.to_sql(), "what is stored is kept as it is"
    assert again.to_json() == shop.to_json()


def test_json_has_the_same_words(shop):
    model = json.loads(shop.to_json())
    first = model["tables"][0]
    assert set(first) == set(type(shop.tables[0]).__dataclass_fields__)
    assert set(first["columns"][0]) == set(Column.__dataclass_fields__)
    assert first["columns"][1]["collation"] == "NOCASE"
    assert first["columns"][1]["not_null"] is True


def test_a_picture(shop):
    svg = ElementTree.fromstring(shop.to_svg())
    text = "".join(svg.itertext())
    assert "customers" in text and "orders" in text and svg.tag.endswith("svg")


def test_equal_if_nothing_would_change():
    one = Schema.parse("CREATE TABLE t (a INTEGER, b TEXT)")
    other = Schema.parse('CREATE TABLE "T" ( "a" integer,b text ) -- the same')
    assert one == other and hash(one) == hash(other) and len({one, other}) == 1
    assert one != Schema.parse("CREATE TABLE t (a INTEGER, b TEXT NOT NULL)")
    turned = Schema.parse("CREATE TABLE t (b TEXT, a INTEGER)")
    assert one == turned and one.diff(turned, column_order=True)
    assert one != "CREATE TABLE t (a INTEGER, b TEXT)"


def test_sql_with_an_error_says_where():
    with pytest.raises(rowtide.SqlError) as caught:
        Schema.parse("CREATE TABLE t (a);\nCREATE TABLE u (;\n")
    assert "line 2" in str(caught.value)
    assert caught.value.offset is not None and caught.value.offset >= 20


def test_files_and_dumps(tmp_path):
    path = tmp_path / "schema.sql"
    path.write_text("PRAGMA foreign_keys=OFF;\nBEGIN;\nCREATE TABLE t (a);\n"
                    "INSERT INTO t VALUES ('; no');\nCOMMIT;\n")  # fmt: skip
    assert Schema(path).tables.names == ("t",)
    assert Schema(path, "CREATE TABLE u (b)").tables.names == ("t", "u")
    with pytest.raises(FileNotFoundError):
        Schema(tmp_path / "none.sql")


def test_text_that_is_not_utf_8(tmp_path):
    path = tmp_path / "latin.sql"
    path.write_bytes(b"\xef\xbb\xbfCREATE TABLE t (a TEXT DEFAULT 'caf\xe9')")
    schema = Schema(path)
    assert schema.tables["t"].columns["a"].default_sql == "'caf\udce9'"
    assert Schema(schema.to_sql()) == schema == Schema.parse(schema.to_sql())


def test_values_can_be_pickled(shop):
    assert pickle.loads(pickle.dumps(shop.tables)) == shop.tables


def test_what_is_no_model():
    with pytest.raises(TypeError, match="a model is a class"):
        Schema(5)
    with pytest.raises(TypeError):
        Schema.parse(5)
    with pytest.raises(TypeError):
        Schema.parse(b"CREATE TABLE t (a)")
    with pytest.raises(TypeError):
        Items(5)


def test_many_threads_look_at_one(shop):
    texts = []

    def look():
        texts.append((shop.to_json(), shop.tables["customers"].columns.names))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(texts)) == 1 and len(texts) == 4


def test_any_connection(tmp_path):
    with rowtide.open(tmp_path / "a.db") as db:
        db.executescript(SHOP)
        assert db.schema() == Schema.parse(SHOP)
    db.close()
    with pytest.raises(rowtide.ClosedError):
        db.schema()
