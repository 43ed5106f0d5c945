"""Classes as tables: what a class says is what the table is."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType

import pytest
import rowtide
from rowtide.schema import Schema, belongs_to, check, column, index, many_to_many, table


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "it's blue"


class Level(enum.IntEnum):
    LOW = 1


class Mixed(enum.Enum):
    ONE = 1
    TWO = "two"


Key = Annotated[int, column(primary_key=True)]
Cents = NewType("Cents", int)


@dataclass
class User:
    id: int
    email: Annotated[str, column(unique=True, collation="NOCASE")]
    name: str = "nobody"
    bio: str | None = None


def columns(*models: object) -> dict[str, tuple[str, bool, str | None]]:
    """Type, NOT NULL and DEFAULT of the columns of the first table."""
    return {
        one.name: (one.type, one.not_null, one.default_sql)
        for one in Schema(*models).tables[0].columns
    }


def test_a_dataclass():
    schema = Schema(User)
    (users,) = schema.tables
    assert users.name == "users"
    assert columns(User) == {
        "id": ("INTEGER", False, None),
        "email": ("TEXT", True, None),
        "name": ("TEXT", True, "'nobody'"),
        "bio": ("TEXT", False, None),
    }
    assert users.columns["id"].primary_key == 1
    assert users.columns["email"].collation == "NOCASE"
    (unique,) = users.indexes
    assert (unique.name, unique.unique, unique.columns.names) == (
        "ux_users_email", True, ("email",),
    )  # fmt: skip


def test_the_same_in_sql():
    assert Schema(User) == Schema.parse("""
        CREATE TABLE users (
            id INTEGER PRIMARY KEY,
            email TEXT NOT NULL COLLATE NOCASE,
            name TEXT NOT NULL DEFAULT 'nobody',
            bio TEXT
        );
        CREATE UNIQUE INDEX ux_users_email ON users (email);
    """)


@dataclass
class Sample:
    id: str
    yes: bool
    number: int
    real: float
    text: str
    raw: bytes
    when: datetime.datetime
    day: datetime.date
    time: datetime.time
    price: decimal.Decimal
    token: uuid.UUID
    colour: Colour
    level: Level
    choice: Literal["a", "b"]
    data: dict[str, Any]
    tags: list[str]
    cents: Cents
    anything: Any
    optional: int | None
    either: bool | int | None
    said: Annotated[str, column("VARCHAR(20)")]


def test_types():
    assert {name: kind for name, (kind, _, _) in columns(Sample).items()} == {
        "id": "TEXT", "yes": "INTEGER", "number": "INTEGER", "real": "REAL", "text": "TEXT",
        "raw": "BLOB", "when": "TEXT", "day": "TEXT", "time": "TEXT", "price": "TEXT",
        "token": "TEXT", "colour": "TEXT", "level": "INTEGER", "choice": "TEXT",
        "data": "TEXT", "tags": "TEXT", "cents": "INTEGER", "anything": "",
        "optional": "INTEGER", "either": "INTEGER", "said": "VARCHAR(20)",
    }  # fmt: skip
    nullable = {name for name, (_, not_null, _) in columns(Sample).items() if not not_null}
    assert nullable == {"optional", "either"}, "a key that is no rowid is NOT NULL too"


@dataclass
class Default:
    id: int | None = None
    text: str = "it's"
    empty: str = ""
    number: int = -3
    real: float = 1.5
    yes: bool = True
    raw: bytes = b"\x00\xff"
    colour: Colour = Colour.BLUE
    price: decimal.Decimal = decimal.Decimal("1.50")
    day: datetime.date = datetime.date(2020, 2, 29)
    when: datetime.datetime = datetime.datetime(2020, 2, 29, 12, 30)
    none: str | None = None
    infinite: float | None = float("inf")
    made: list[str] = field(default_factory=list)
    now: Annotated[str, column(default_sql="CURRENT_TIMESTAMP")] = "x"
    counted: Annotated[int, column(default_sql="1 + 1")] = 0


def test_defaults(make):
    db = make("")
    db.auto_migrate(Default)
    db.execute("INSERT INTO defaults (id, made) VALUES (1, '[]')")
    row = dict(zip(db.schema().tables[0].columns.names,
                   db.execute("SELECT * FROM defaults").fetchone(), strict=True))  # fmt: skip
    assert row.pop("now") > "2020-01-01 00:00:00"
    assert row == {
        "id": 1, "text": "it's", "empty": "", "number": -3, "real": 1.5, "yes": 1,
        "raw": b"\x00\xff", "colour": "it's blue", "price": "1.50", "day": "2020-02-29",
        "when": "2020-02-29 12:30:00", "none": None, "infinite": None, "made": "[]",
        "counted": 2,
    }  # fmt: skip
    assert columns(Default)["made"] == ("TEXT", True, None)


class Plain:
    key: Key
    size: int = 3
    kind: ClassVar[str] = "no column"
    _hidden: str | None


class Row(NamedTuple):
    id: int
    name: str = "x"


@dataclass(slots=True, frozen=True)
class BlogCategory:
    id: int
    title: str = "none"


class HTTPBox(BlogCategory):
    __tablename__ = "the box"


def test_any_class_with_annotations():
    assert columns(Plain) == {
        "key": ("INTEGER", False, None), "size": ("INTEGER", True, "3"),
        "_hidden": ("TEXT", False, None),
    }  # fmt: skip
    assert columns(Row)["name"] == ("TEXT", True, "'x'")
    assert columns(BlogCategory)["title"] == ("TEXT", True, "'none'")


@table(name="people")
class Person:
    id: int


class Box:
    id: int


class Story:
    id: int


class Day:
    id: int


def test_names_of_tables():
    models = Row, BlogCategory, HTTPBox, Person, Box, Story, Day
    assert Schema(*models).tables.names == (
        "rows", "blog_categories", "the box", "people", "boxes", "stories", "days",
    )  # fmt: skip


@table(
    index("last", "first DESC", name="by_name"),
    index("lower(last)", unique=True, where="last <> ''"),
    check("born > 1800"),
    check("first <> last", name="not_twice"),
    strict=True,
    without_rowid=True,
    primary_key=("last", "first"),
)
@dataclass
class Author:
    first: str
    last: str
    born: Annotated[int, column(check="born < 2100", indexed=True)]
    name: Annotated[str, column(generated_as="first || ' ' || last")]
    sorted: Annotated[str, column(generated_as="upper(last)", stored=True)]
    notes: Any


def test_what_is_said_of_a_table():
    (authors,) = Schema(Author).tables
    assert authors.strict and authors.without_rowid
    assert [one.primary_key for one in authors.columns] == [2, 1, 0, 0, 0, 0]
    assert {(one.name, one.expression) for one in authors.checks} >= {
        (None, "born > 1800"), ("not_twice", "first <> last"),
    }  # fmt: skip
    assert len(authors.checks) == 3
    by_name = authors.indexes["by_name"]
    assert [str(one) for one in by_name.columns] == ["last", "first DESC"]
    (lower,) = (one for one in authors.indexes if one.where)
    assert lower.unique and lower.columns[0].expression == "lower(last)"
    assert authors.indexes["ix_authors_born"].columns.names == ("born",)
    assert authors.columns["notes"].type == "ANY", "a STRICT table has a type everywhere"
    name, sort = authors.columns["name"], authors.columns["sorted"]
    assert name.generated_as == "first || ' ' || last" and not name.stored and sort.stored


def test_two_fields_are_a_key():
    class Grade:
        student: Key
        course: Key
        mark: int

    # Annotations of a class in a function are looked up among the globals.
    (grades,) = Schema(Grade).tables
    assert [one.primary_key for one in grades.columns] == [1, 2, 0]
    assert grades.columns["student"].not_null


@table(many_to_many("tags"), belongs_to("categories", column="filed"), name="posts")
@dataclass
class Post:
    id: int
    user_id: Annotated[int, belongs_to(User, on_delete="CASCADE")]
    editor: Annotated[int | None, belongs_to("users", foreign_key=True)]
    title: str
    deleted_at: Annotated[str | None, column(soft_delete=True)] = None
    slug: Annotated[str, column(unique=True)] = ""


@dataclass
class Tag:
    id: int
    name: str


def test_relations():
    schema = Schema(User, Post, Tag)
    posts = schema.tables["posts"]
    found = {one.columns: (one.table, one.relation) for one in posts.foreign_keys}
    assert found[("user_id",)] == ("users", True)
    assert found[("editor",)] == ("users", False), "this one is a constraint from the start"
    assert found[("filed",)] == ("categories", True)
    assert posts.columns["user_id"].not_null and not posts.columns["editor"].not_null
    assert "filed" in posts.columns
    junction = schema.tables["posts_tags"]
    assert [one.primary_key for one in junction.columns] == [1, 2]


class Status:
    id: int


@table(belongs_to(Status), belongs_to(Person))
class Task:
    id: int


def test_columns_of_relations_are_named_as_the_class():
    assert Schema(Task, Status, Person).tables["tasks"].columns.names == (
        "id", "status_id", "person_id",
    )  # fmt: skip


def test_soft_deletion_makes_unique_indexes_partial():
    slug = Schema(Post, Tag, User).tables["posts"].indexes["ux_posts_slug"]
    assert slug.unique and slug.where.replace('"', "") == "deleted_at IS NULL"


def test_models_of_all_kinds_together():
    schema = Schema(
        User,
        "CREATE VIEW names AS SELECT name FROM users;",
        Schema.parse("CREATE TABLE other (x)"),
    )
    assert schema.tables.names == ("users", "other") and schema.views.names == ("names",)
    assert Schema(schema) == schema


def test_json_can_be_stored(make):
    db = make("")
    db.auto_migrate(Sample)
    assert json.loads(db.schema().to_json())["tables"][0]["name"] == "samples"


class NoFields:
    pass


class Confused:
    id: int
    what: complex


class Split:
    id: int
    what: int | str


class Unknown:
    id: int
    what: Nothing  # noqa: F821


class Twice:
    id: int
    mixed: Mixed


class Bare:
    id: int
    name: Annotated[str, column]


class TwoGone:
    id: int
    a: Annotated[str | None, column(soft_delete=True)]
    b: Annotated[str | None, column(soft_delete=True)]


@table(primary_key=["a", "b"])
class TwoKeys:
    a: Key
    b: int


class Wrong:
    id: int
    name: Annotated[str, column(default_sql="oh no (")]


class Misplaced:
    id: int
    name: Annotated[str, index("name")]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (NoFields, ["NoFields", "fields"]),
        (Confused, ["Confused.what", "complex"]),
        (Split, ["Split.what", "int | str"]),
        (Unknown, ["Unknown", "Nothing"]),
        (Twice, ["Twice.mixed", "Mixed"]),
        (Bare, ["Bare.name", "column"]),
        (TwoGone, ["TwoGone", "a, b"]),
        (TwoKeys, ["TwoKeys.a", "key"]),
        (Wrong, ["wrongs"]),
        (Misplaced, ["Misplaced.name"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(model, words):
    with pytest.raises(rowtide.Error) as caught:
        Schema(model)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_mistakes_in_declarations():
    with pytest.raises(rowtide.InvalidError, match="index"):
        index()
    with pytest.raises(rowtide.InvalidError, match=r"table\(\) takes"):
        table("people")
    with pytest.raises(TypeError):
        column(uniqe=True)
