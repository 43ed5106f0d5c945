"""Schemas that nobody here wrote: reading, printing and reading again is the identity."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
import rowtide
from rowtide.schema import Schema

FOLDER = Path(__file__).with_name("schemas")
PROJ = Path("/usr/share/proj/proj.db")

DJANGO = """
import sys, django
from django.conf import settings
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=["django.contrib." + app for app in (
        "admin", "auth", "contenttypes", "flatpages", "redirects", "sessions", "sites")],
    SITE_ID=1,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""


def django_schema(folder: Path) -> Schema:
    path = folder / "django.db"
    subprocess.run([sys.executable, "-c", DJANGO, str(path)], check=True)
    db = rowtide.connect(path)
    schema = db.schema()
    db.close()
    return schema


def sqlalchemy_schema(folder: Path) -> Schema:
    import sqlalchemy as sa

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    author = sa.Table(
        "author",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(80, collation="NOCASE"), nullable=False, index=True),
        sa.Column("mail", sa.String, unique=True),
        sa.Column("since", sa.DateTime, server_default=sa.func.current_timestamp()),
        sa.Column("rank", sa.Numeric(10, 2), sa.CheckConstraint("rank >= 0", name="positive")),
    )
    sa.Table(
        "group",
        metadata,
        sa.Column("order", sa.BigInteger, primary_key=True),
        sa.Column("from", sa.Enum("a", "b's", name="kind"), primary_key=True),
        sa.Column("author id", sa.ForeignKey(author.c.id, ondelete="CASCADE", deferrable=True)),
        sa.Column("data", sa.JSON, server_default=sa.text("'{}'")),
        sa.Column("length", sa.Integer, sa.Computed("length(data)", persisted=True)),
        sa.UniqueConstraint("author id", "data"),
        sa.Index("lower_from", sa.text('lower("from")'), sqlite_where=sa.text("length > 3")),
        sqlite_with_rowid=False,
    )
    engine = sa.create_engine(f"sqlite:///{folder / 'sa.db'}")
    metadata.create_all(engine)
    engine.dispose()
    db = rowtide.connect(folder / "sa.db")
    schema = db.schema()
    db.close()
    return schema


def proj_schema(folder: Path) -> Schema:
    if not PROJ.exists():
        pytest.skip("the package proj-data is not installed")
    db = rowtide.connect(f"file:{PROJ}?mode=ro", uri=True)
    schema = db.schema()
    db.close()
    return schema


REAL = {
    "proj": proj_schema,
    "django": django_schema,
    "sqlalchemy": sqlalchemy_schema,
    **{
        path.stem: lambda folder, path=path: Schema.parse(path.read_text())
        for path in sorted(FOLDER.glob("*.sql"))
    },
}


@pytest.fixture(scope="module", params=REAL)
def schema(request, tmp_path_factory) -> Schema:
    return REAL[request.param](tmp_path_factory.mktemp(request.param))


def everything(schema: Schema) -> object:
    return json.loads(schema.to_json())


def test_reading_what_was_printed_is_the_identity(schema):
    again = Schema.parse(schema.to_sql())
    assert everything(again) == everything(schema)
    assert again.to_sql() == schema.to_sql()
    assert not schema.diff(again)


def test_sqlite_makes_the_same_of_it(schema, tmp_path):
    plain = sqlite3.connect(tmp_path / "plain.db")
    plain.executescript(schema.to_sql())
    for table in schema.tables:
        if table.kind != "ordinary":
            continue
        shown = plain.execute("SELECT * FROM pragma_table_xinfo(?)", [table.name]).fetchall()
        assert [row[1] for row in shown] == [column.name for column in table.columns]
        assert [row[2] for row in shown] == [column.type for column in table.columns]
        assert [row[3] for row in shown] == [column.not_null for column in table.columns]
        assert [row[5] for row in shown] == [column.primary_key for column in table.columns]
        keys = plain.execute(
            "SELECT * FROM pragma_foreign_key_list(?)", [table.name]
        ).fetchall()
        assert len({row[0] for row in keys}) == len(table.foreign_keys)
        indexes = plain.execute(
            "SELECT name, \"unique\", partial FROM pragma_index_list(?) WHERE origin = 'c'",
            [table.name],
        ).fetchall()
        assert sorted(indexes) == sorted(
            (index.name, index.unique, index.where is not None) for index in table.indexes
        )
    plain.close()
    db = rowtide.connect(tmp_path / "plain.db")
    assert everything(db.schema()) == everything(schema)
    db.close()


def test_an_empty_database_becomes_it_and_back(schema, tmp_path):
    db = rowtide.connect(tmp_path / "new.db")
    db.plan(schema).apply()
    made = db.schema()
    assert not made.diff(schema)
    assert not schema.diff(made)
    db.close()


def test_up_and_down(schema, tmp_path):
    empty = Schema.parse("")
    change = empty.diff(schema)
    db = sqlite3.connect(tmp_path / "up.db")
    db.executescript(change.up())
    there = rowtide.connect(tmp_path / "up.db")
    assert not there.schema().diff(schema)
    db.executescript(change.down())
    assert not there.schema().diff(empty)
    there.close()
    db.close()


def test_the_newest_sqlite_takes_it_too(schema):
    """That of apsw, which is newer than the system's."""
    assert apsw.sqlite_lib_version() >= sqlite3.sqlite_version
    rows = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    change = Schema.parse("").diff(schema)
    for sql in (schema.to_sql(), change.up()):
        newest = apsw.Connection(":memory:")
        newest.execute(sql)
        system = sqlite3.connect(":memory:")
        system.executescript(sql)
        assert list(newest.execute(rows)) == system.execute(rows).fetchall()
        newest.close()
        system.close()
    newest = apsw.Connection(":memory:")
    newest.execute(change.up())
    newest.execute(change.down())
    assert list(newest.execute(rows + " AND name NOT LIKE 'sqlite_%'")) == []
    newest.close()


def test_a_picture_of_it(schema):
    svg = schema.to_svg()
    for table in schema.tables:
        if table.kind != "shadow":
            assert f"<title>{table.name}</title>" in svg
    assert svg == schema.to_svg()
