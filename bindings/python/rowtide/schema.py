"""Schemas as values: declare, read, compare, and bring databases to them.

>>> from typing import Annotated
>>> from rowtide.schema import Schema, belongs_to, column, index, table
>>> @dataclass
... class User:
...     id: int
...     email: Annotated[str, column(unique=True, collation="NOCASE")]
...     bio: str | None = None
>>> db.auto_migrate(User)
<rowtide.SchemaReport 2 done, 0 refused>

A class with annotations is a table, a dataclass or not, and each field a column:
``int`` and ``bool`` are INTEGER, ``float`` REAL, ``str`` TEXT, ``bytes`` BLOB.
``datetime``, ``date``, ``time``, ``Decimal``, ``UUID`` and what is kept as JSON
(``dict``, ``list``) are TEXT; an ``Enum`` or ``Literal`` is what its values are, and
``Any`` has no type. A field that may be None may be NULL, all others are NOT NULL. A
default that is a plain value is the DEFAULT; those that a function makes are not.

The table is named as the class, in the plural and in snake_case (``BlogPost`` is
``blog_posts``), or as ``__tablename__`` or ``table(name=...)`` say. The primary key is
what ``column(primary_key=True)`` marks, or else the field ``id``. :func:`column`,
:func:`table`, :func:`index`, :func:`check`, :func:`belongs_to` and
:func:`many_to_many` say the rest.
"""

from __future__ import annotations

import codecs
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any, Self, TypeAlias, overload

from . import _native
from ._native import Handle
from .schema_declare import (
    belongs_to,
    build_class,
    check,
    column,
    index,
    many_to_many,
    table,
)
from .schema_plan import Plan, Renames, SchemaReport, rename_hints
from .schema_sqlalchemy import sqlalchemy_sql
from .schema_values import (
    Check,
    Column,
    Finding,
    ForeignKey,
    Index,
    IndexedColumn,
    Items,
    Key,
    PlanStep,
    SchemaAction,
    SchemaChange,
    Table,
    Trigger,
    View,
)

__all__ = [
    "Check",
    "Column",
    "Difference",
    "Finding",
    "ForeignKey",
    "Index",
    "IndexedColumn",
    "Items",
    "Key",
    "Plan",
    "PlanStep",
    "Schema",
    "SchemaAction",
    "SchemaChange",
    "SchemaReport",
    "Table",
    "Trigger",
    "View",
    "belongs_to",
    "check",
    "column",
    "index",
    "many_to_many",
    "table",
]

Model: TypeAlias = Any
"""What says how tables are: a class, SQL, a path of SQL, a :class:`Schema`, or
metadata, a table, a declarative base or a mapped class of SQLAlchemy."""


class Schema:
    """Tables, views, indexes and triggers, as a value. Immutable; any thread may use it.

    Make it of models: classes with annotations, SQL, paths of files with SQL, other
    schemas, and metadata or models of SQLAlchemy, in any mixture; or read it with
    :meth:`Connection.schema`. Two schemas are equal if nothing would have to change
    for one to become the other; the order of columns does not count.

    >>> schema = rowtide.Schema(User, Post)
    >>> schema.tables["users"].columns["email"].collation
    'NOCASE'
    >>> schema == rowtide.Schema(schema.to_sql())
    True
    """

    __slots__ = ("__weakref__", "_contents", "_handle")

    def __init__(self, *models: Model) -> None:
        self._handle = _schema_handle(models)
        self._contents: dict[str, Any] | None = None

    @classmethod
    def _wrap(cls, handle: Handle) -> Self:
        self = cls.__new__(cls)
        self._handle = handle
        self._contents = None
        return self

    @classmethod
    def parse(cls, sql: str) -> Self:
        """Read SQL, such as a file of CREATE statements or what ``.dump`` gives.

        Statements that change no schema are passed over. In an error ``offset`` is
        the byte where it is.
        """
        if not isinstance(sql, str):
            raise TypeError(f"SQL is a str, not {type(sql).__name__}")
        return cls._wrap(_native.schema_parse(_encoded(sql)))

    # -- Looking at it

    def _get(self) -> dict[str, Any]:
        if self._contents is None:
            self._contents = _native.schema_contents_of(self._handle)
        return self._contents

    @property
    def tables(self) -> Items[Table]:
        """The tables, virtual ones and their shadow tables among them."""
        found: Items[Table] = self._get()["tables"]
        return found

    @property
    def views(self) -> Items[View]:
        """The views."""
        found: Items[View] = self._get()["views"]
        return found

    def to_sql(self) -> str:
        """Give SQL that makes the same schema in an empty database."""
        return _native.schema_print(self._handle)

    def to_json(self) -> str:
        """Give everything that is in it as JSON."""
        return _native.schema_json(self._handle)

    def to_svg(self) -> str:
        """Draw tables and the references between them, as an SVG document."""
        return _native.schema_svg(self._handle)

    # -- Comparing it

    def diff(
        self,
        to: Model,
        *,
        renames: Renames | None = None,
        undeclared: str = "remove",
        column_order: bool = False,
    ) -> Difference:
        """Find what has to change for this schema to become another one.

        Without a hint in `renames` a new name is a new thing. With
        ``undeclared="ignore"`` tables, views and triggers that the other does not have
        at all are left out; `column_order` lists columns that stand in another order.
        """
        options = {
            "renames": rename_hints(renames),
            "undeclared": undeclared,
            "column_order": column_order,
        }
        other = as_schema(to)
        return Difference(_native.schema_diff(self._handle, other._handle, options))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schema):
            return NotImplemented
        return self is other or not self.diff(other)

    def __hash__(self) -> int:
        return hash(frozenset(name.lower() for name in self.tables.names))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"<rowtide.Schema {', '.join(self.tables.names) or 'without tables'}>"


class Difference(Sequence[SchemaChange]):
    """What differs between two schemas, table by table; false if nothing does.

    >>> change = old.diff(new, renames={"users.mail": "email"})
    >>> for one in change:
    ...     print(one)
    >>> print(change.up())
    """

    __slots__ = ("_changes", "_handle")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._changes: tuple[SchemaChange, ...] = _native.schema_difference_changes(handle)[
            "changes"
        ]

    def up(self) -> str:
        """Write the SQL of a migration, to be reviewed; nothing is run.

        What adds is active. What removes or converts is commented out, with the
        reason, and complete. It is empty if nothing differs.
        """
        return _native.schema_generate(self._handle, _native.SCHEMA_UP)

    def down(self) -> str:
        """Write the SQL that undoes the active part of :meth:`up`."""
        return _native.schema_generate(self._handle, _native.SCHEMA_DOWN)

    @overload
    def __getitem__(self, key: int) -> SchemaChange: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[SchemaChange, ...]: ...

    def __getitem__(self, key: int | slice) -> SchemaChange | tuple[SchemaChange, ...]:
        return self._changes[key]

    def __iter__(self) -> Iterator[SchemaChange]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self._changes))

    def __repr__(self) -> str:
        return f"<rowtide.Difference {len(self)} changes>"


def as_schema(*models: Model) -> Schema:
    """Make a schema of models; one that is a schema stays what it is."""
    if len(models) == 1 and isinstance(models[0], Schema):
        return models[0]
    return Schema(*models)


def _schema_handle(models: tuple[Model, ...]) -> Handle:
    if len(models) == 1 and isinstance(models[0], Schema):
        return models[0]._handle
    if len(models) == 1 and isinstance(models[0], (str, os.PathLike)):
        return _native.schema_parse(_sql(models[0]))
    builder = _native.schema_builder_new()
    for model in models:
        sql = _sql(model)
        if sql is not None:
            _native.schema_builder_sql(builder, sql)
        elif isinstance(model, type):
            build_class(builder, model)
        else:
            raise TypeError(
                "a model is a class, SQL, a path, a Schema or metadata of SQLAlchemy, "
                f"not {type(model).__name__}"
            )
    return _native.schema_builder_finish(builder)


def _sql(model: Model) -> bytes | None:
    """Give the SQL that a model is; None for one that is not."""
    if isinstance(model, str):
        return _encoded(model)
    if isinstance(model, os.PathLike):
        return pathlib.Path(os.fsdecode(model)).read_bytes().removeprefix(codecs.BOM_UTF8)
    if isinstance(model, Schema):
        return _encoded(model.to_sql())
    sql = sqlalchemy_sql(model)
    return None if sql is None else _encoded(sql)


def _encoded(sql: str) -> bytes:
    """Give the bytes that were read, where a database has text that is not UTF-8."""
    return sql.encode("utf-8", "surrogateescape")
