"""Declare a table as a class: what is said beside the annotations, and reading it."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import functools
import inspect
import math
import operator
import re
import types
import typing
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from . import _native
from ._native import Handle
from ._types import Options
from .errors import InvalidError

C = TypeVar("C", bound=type)


# -- What is said beside the annotations


@dataclass(frozen=True)
class ColumnPart:
    """What :func:`column` makes."""

    options: Options


@dataclass(frozen=True)
class IndexPart:
    """What :func:`index` makes."""

    columns: tuple[str, ...]
    options: Options


@dataclass(frozen=True)
class CheckPart:
    """What :func:`check` makes."""

    expression: str
    name: str | None


@dataclass(frozen=True)
class RelationPart:
    """What :func:`belongs_to` and :func:`many_to_many` make."""

    table: str | type
    many: bool
    options: Options


TablePart = IndexPart | CheckPart | RelationPart


def column(
    type: str | None = None,
    *,
    name: str | None = None,
    primary_key: bool = False,
    autoincrement: bool = False,
    not_null: bool | None = None,
    unique: bool = False,
    indexed: bool = False,
    default_sql: str | None = None,
    check: str | None = None,
    collation: str | None = None,
    generated_as: str | None = None,
    stored: bool = False,
    soft_delete: bool = False,
) -> ColumnPart:
    """Say more about a field than its type does, in ``Annotated[str, column(...)]``.

    `type` is the type in SQL, if that of the annotation is not meant, and `name` the
    column's name if it is not the field's. `unique` makes a unique index and
    `indexed` an index. `default_sql`, `check` and `generated_as` are expressions in
    SQL; `stored` keeps the generated value in the file. `not_null` is for where the
    annotation says something else. `soft_delete` marks the column that is NULL while
    the row is alive: unique indexes of the table then hold for such rows only.
    """
    given: Options = {
        "type": type,
        "name": name,
        "primary_key": primary_key,
        "autoincrement": autoincrement,
        "not_null": not_null,
        "unique": unique,
        "indexed": indexed,
        "default_sql": default_sql,
        "check": check,
        "collation": collation,
        "generated_as": generated_as,
        "stored": stored,
        "soft_delete": soft_delete,
    }
    return ColumnPart({key: value for key, value in given.items() if value not in (None, False)
                       or (key == "not_null" and value is False)})  # fmt: skip


def index(
    *columns: str, name: str | None = None, unique: bool = False, where: str | None = None
) -> IndexPart:
    """Declare an index of a table, for :func:`table`.

    Each of `columns` is a name, or SQL: ``"lower(name)"``, ``"created_at DESC"``.
    With `where`, an expression in SQL, the index is partial.
    """
    if not columns:
        raise InvalidError("an index needs at least one column")
    return IndexPart(columns, {"name": name, "unique": unique, "where": where})


def check(expression: str, *, name: str | None = None) -> CheckPart:
    """Declare a CHECK of a table, an expression in SQL, for :func:`table`."""
    return CheckPart(expression, name)


def belongs_to(
    table: str | type,
    *,
    column: str | None = None,
    table_column: str | None = None,
    on_delete: str | None = None,
    on_update: str | None = None,
    not_null: bool = False,
    foreign_key: bool = False,
) -> RelationPart:
    """Declare that rows refer to a row of another table.

    For :func:`table`; the column is ``user_id``, for a class ``User`` or a table
    ``users``, unless `column` says otherwise, and is made if there is none. Beside an
    annotation, ``Annotated[int, belongs_to(User)]``, it is that field's column. It refers to
    `table_column` there, else to the primary key. It becomes a foreign key, in a
    table that is made, with `foreign_key`, or if all relations are asked for.
    """
    return RelationPart(
        table,
        False,
        {
            "column": column,
            "table_column": table_column,
            "on_delete": on_delete,
            "on_update": on_update,
            "not_null": not_null,
            "foreign_key": foreign_key,
        },
    )


def many_to_many(
    table: str | type,
    *,
    through: str | None = None,
    on_delete: str | None = None,
    on_update: str | None = None,
    foreign_key: bool = False,
) -> RelationPart:
    """Declare that rows of two tables refer to each other, for :func:`table`.

    That is a table of pairs of their keys, named ``<table>_<other>`` unless `through`
    says otherwise.
    """
    return RelationPart(
        table,
        True,
        {
            "column": through,
            "on_delete": on_delete,
            "on_update": on_update,
            "foreign_key": foreign_key,
        },
    )


@dataclass(frozen=True)
class TableParts:
    """What :func:`table` remembers of a class."""

    name: str | None
    options: Options
    parts: tuple[TablePart, ...]


def table(
    *parts: TablePart,
    name: str | None = None,
    strict: bool = False,
    without_rowid: bool = False,
    primary_key: tuple[str, ...] | list[str] = (),
    soft_delete: str | None = None,
) -> Callable[[C], C]:
    """Say more about a class that declares a table than its fields do.

    >>> @rowtide.schema.table(index("city", "name DESC"), check("age >= 0"), strict=True)
    ... @dataclass
    ... class Person: ...

    `parts` are what :func:`index`, :func:`check`, :func:`belongs_to` and
    :func:`many_to_many` give. `name` is the table's name, `primary_key` are the
    columns of a key of several, and `soft_delete` names the column that is NULL while
    the row is alive.
    """
    for part in parts:
        if not isinstance(part, TablePart):
            raise InvalidError(
                "table() takes index(), check(), belongs_to() and many_to_many(), not "
                f"{_describe(part)}"
            )
    options: Options = {
        "strict": strict,
        "without_rowid": without_rowid,
        "primary_key": tuple(primary_key) or None,
        "soft_delete": soft_delete,
    }

    def decorate(cls: C) -> C:
        cls.__rowtide_table__ = TableParts(name, options, parts)  # type: ignore[attr-defined]
        return cls

    return decorate


def _describe(thing: object) -> str:
    return thing.__name__ if isinstance(thing, type) else type(thing).__name__


# -- Names


def plural(word: str) -> str:
    """Make the plural of an English noun, by the three rules."""
    if re.search("[^aeiou]y$", word):
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def snake_case(name: str) -> str:
    """Write the name of a class as SQL does: ``BlogPost`` is ``blog_post``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def table_name(cls: str | type) -> str:
    """Give the name of the table that a class declares, or the name itself."""
    if isinstance(cls, str):
        return cls
    said = _parts_of(cls).name or cls.__dict__.get("__tablename__")
    if said is not None:
        return str(said)
    return plural(snake_case(cls.__name__))


def _parts_of(cls: type) -> TableParts:
    parts = cls.__dict__.get("__rowtide_table__")
    return parts if isinstance(parts, TableParts) else TableParts(None, {}, ())


# -- Types and defaults

TYPES: dict[type, str] = {
    bool: "INTEGER",
    int: "INTEGER",
    float: "REAL",
    str: "TEXT",
    bytes: "BLOB",
    bytearray: "BLOB",
    memoryview: "BLOB",
    datetime.datetime: "TEXT",
    datetime.date: "TEXT",
    datetime.time: "TEXT",
    decimal.Decimal: "TEXT",
    uuid.UUID: "TEXT",
    dict: "TEXT",
    list: "TEXT",
}


class Unmapped(Exception):
    """An annotation that has no type in SQL; the text says why."""


def _type_of_values(values: typing.Iterable[object], what: object) -> str:
    found = {_sql_type(type(value)) for value in values}
    if len(found) != 1:
        raise Unmapped(f"the values of {what} are of no one type in SQL")
    return found.pop()


def _sql_type(hint: Any) -> str:
    """Give the type in SQL that an annotation stands for."""
    if isinstance(hint, typing.NewType):
        return _sql_type(hint.__supertype__)
    if hint is Any or hint is object:
        return ""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return _type_of_values(typing.get_args(hint), hint)
    if origin in (typing.Union, types.UnionType):
        found = {_sql_type(one) for one in typing.get_args(hint)}
        if len(found) != 1:
            raise Unmapped(f"{hint} is of no one type in SQL")
        return found.pop()
    hint = origin or hint
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _type_of_values((member.value for member in hint), hint.__name__)
    for base in hint.__mro__ if isinstance(hint, type) else ():
        if base in TYPES:
            return TYPES[base]
    raise Unmapped(f"{getattr(hint, '__name__', hint)} has no type in SQL")


def _strip(hint: Any) -> tuple[Any, bool, list[object]]:
    """Take an annotation apart: the type, whether it may be None, what is beside."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *beside = typing.get_args(hint)
        hint, nullable, more = _strip(inner)
        return hint, nullable, [*more, *beside]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(hint) if one is not types.NoneType]
        if len(rest) == 1:
            hint, _, beside = _strip(rest[0])
            return hint, True, beside
        return functools.reduce(operator.or_, rest), len(rest) < len(typing.get_args(hint)), []
    return hint, False, []


def _literal(value: object) -> str | None:
    """Write a plain value in SQL; None for what is none."""
    if isinstance(value, enum.Enum):
        return _literal(value.value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else None
    if isinstance(value, (bytes, bytearray)):
        return f"x'{value.hex()}'"
    if isinstance(
        value, (str, datetime.date, datetime.time, decimal.Decimal, uuid.UUID)
    ):  # a datetime is a date
        text = str(value)
        return None if "\0" in text else "'" + text.replace("'", "''") + "'"
    return None


# -- Fields


@dataclass
class Field:
    """A field of a class, as a column."""

    name: str
    type: str
    options: Options
    relations: list[RelationPart]
    soft_delete: bool = False

    @property
    def is_key(self) -> bool:
        """True if the field says that it is, or is of, the primary key."""
        return bool(self.options.get("primary_key"))


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise InvalidError(f"{cls.__name__}: an annotation means nothing: {error}") from None


def _defaults(cls: type) -> Callable[[str], object]:
    """Find the default of a field, in whatever way the class keeps it."""
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        parameters = types.MappingProxyType({})

    def default(name: str) -> object:
        if name in parameters:
            return parameters[name].default
        return inspect.getattr_static(cls, name, None)

    return default


def _is_field(cls: type, name: str, hint: Any) -> bool:
    if typing.get_origin(hint) is typing.ClassVar or hint is typing.ClassVar:
        return False
    return not (name.startswith("__") or isinstance(hint, dataclasses.InitVar))


def _read_field(cls: type, name: str, hint: Any, default: object) -> Field:
    hint, nullable, beside = _strip(hint)
    options: Options = {}
    relations = []
    for part in beside:
        if isinstance(part, ColumnPart):
            options.update(part.options)
        elif isinstance(part, RelationPart) and not part.many:
            relations.append(part)
        elif part is column or isinstance(part, TablePart):
            raise InvalidError(
                f"{cls.__name__}.{name}: column(...) or belongs_to(...) is needed there"
            )
    sql_type = options.pop("type", None)
    if sql_type is None:
        try:
            sql_type = _sql_type(hint)
        except Unmapped as reason:
            raise InvalidError(
                f'{cls.__name__}.{name}: {reason}; say one with column("...")'
            ) from None
    if "generated_as" not in options:
        options.setdefault("not_null", not nullable)
        if not options.get("primary_key"):
            options.setdefault("default_sql", _literal(default))
    soft_delete = bool(options.pop("soft_delete", False))
    return Field(options.pop("name", name), sql_type, options, relations, soft_delete)


def _read_fields(cls: type) -> list[Field]:
    default = _defaults(cls)
    return [
        _read_field(cls, name, hint, default(name))
        for name, hint in _hints(cls).items()
        if _is_field(cls, name, hint)
    ]


def _choose_key(cls: type, fields: list[Field], table_options: Options) -> None:
    """Find the primary key, and bring it into the form that the builder takes."""
    keys = [field for field in fields if field.is_key]
    if table_options.get("primary_key"):
        if keys:
            raise InvalidError(f"{cls.__name__}.{keys[0].name}: table() names the key already")
        return
    if not keys:
        keys = [field for field in fields if field.name.lower() == "id"]
    if len(keys) > 1:
        table_options["primary_key"] = tuple(field.name for field in keys)
        for field in keys:
            field.options["primary_key"] = False
        return
    for field in keys:
        field.options["primary_key"] = True
        field.options.pop("default_sql", None)
        if field.type.upper() == "INTEGER":
            field.options["not_null"] = False  # it is the rowid


def _table_options(cls: type, fields: list[Field], said: Options) -> Options:
    options = dict(said)
    soft = [field.name for field in fields if field.soft_delete]
    if options.get("soft_delete"):
        soft.insert(0, options["soft_delete"])
    if len(set(soft)) > 1:
        raise InvalidError(f"{cls.__name__}: two columns for soft deletion: {', '.join(soft)}")
    options["soft_delete"] = soft[0] if soft else None
    _choose_key(cls, fields, options)
    if options.get("without_rowid"):
        for field in fields:
            if field.is_key:
                field.options["not_null"] = True
    return options


def _relations(fields: list[Field], parts: tuple[TablePart, ...]) -> Iterator[RelationPart]:
    for field in fields:
        for relation in field.relations:
            yield RelationPart(relation.table, False,
                               {**relation.options, "column": field.name})  # fmt: skip
    for part in parts:
        if not isinstance(part, RelationPart):
            continue
        options = dict(part.options)
        if isinstance(part.table, type) and not part.many and not options["column"]:
            options["column"] = f"{snake_case(part.table.__name__)}_id"
        yield RelationPart(part.table, part.many, options)


def build_class(builder: Handle, cls: type) -> None:
    """Declare the table of a class with a builder."""
    said = _parts_of(cls)
    fields = _read_fields(cls)
    if not fields:
        raise InvalidError(f"{cls.__name__}: a class without annotated fields is no table")
    options = _table_options(cls, fields, said.options)
    if options.get("strict"):
        for field in fields:
            field.type = field.type or "ANY"
    _native.schema_builder_table(builder, table_name(cls), options)
    for field in fields:
        _native.schema_builder_column(builder, field.name, field.type, field.options)
    for relation in _relations(fields, said.parts):
        add = (
            _native.schema_builder_many_to_many
            if relation.many
            else _native.schema_builder_belongs_to
        )
        add(builder, table_name(relation.table), relation.options)
    for part in said.parts:
        if isinstance(part, IndexPart):
            _native.schema_builder_index(builder, part.columns, part.options)
        elif isinstance(part, CheckPart):
            _native.schema_builder_check(builder, part.name, part.expression)
