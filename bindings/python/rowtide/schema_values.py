"""What a schema, a difference, a plan and a report are made of: plain values.

The names of the fields are those of the structs in C; the library fills them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from . import _native
from .tables import fold

T = TypeVar("T")


class Items(Sequence[T], Generic[T]):
    """Things in order, which are found by place, or by name in any case.

    >>> schema.tables["users"].columns["email"].type
    'TEXT'
    >>> [column.name for column in schema.tables["users"].columns]
    ['id', 'email']
    """

    __slots__ = ("_items", "_places")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = tuple(items)
        self._places: dict[str, int] | None = None

    def _place(self, name: str) -> int | None:
        if self._places is None:
            self._places = {}
            for place, item in enumerate(self._items):
                self._places.setdefault(fold(getattr(item, "name", None) or ""), place)
        return self._places.get(fold(name)) if name else None

    @overload
    def __getitem__(self, key: int | str) -> T: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[T, ...]: ...

    def __getitem__(self, key: int | str | slice) -> T | tuple[T, ...]:
        if not isinstance(key, str):
            return self._items[key]
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        return self._items[place]

    def get(self, name: str) -> T | None:
        """Find by name; None if there is nothing of that name."""
        place = self._place(name)
        return None if place is None else self._items[place]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all, in order."""
        return tuple(getattr(item, "name", None) or "" for item in self._items)

    def __contains__(self, thing: object) -> bool:
        if isinstance(thing, str):
            return self._place(thing) is not None
        return thing in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Items) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return f"<rowtide.schema.Items {', '.join(map(_show, self._items))}>"


def _show(item: object) -> str:
    return getattr(item, "name", None) or str(item)


class Shown:
    """A repr that says what str() says."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<rowtide.schema.{type(self).__name__} {self}>"


@dataclass(frozen=True, slots=True, repr=False)
class Column(Shown):
    """A column of a table or view."""

    name: str
    """Its name."""
    type: str
    """As declared; empty if it has none."""
    affinity: str
    """What SQLite makes of the type: ``"blob"``, ``"text"``, ``"numeric"``,
    ``"integer"`` or ``"real"``."""
    not_null: bool
    """NOT NULL is written."""
    primary_key: int
    """Its place in the primary key from 1 on; 0 if it is no part of it."""
    default_sql: str | None
    """As written."""
    collation: str | None
    """As declared; None is BINARY."""
    generated_as: str | None
    """The expression of a generated column."""
    stored: bool
    """Of a generated column: STORED, not VIRTUAL."""
    hidden: bool
    """Of a virtual table."""
    sql: str | None
    """Its whole definition; None in a view or virtual table."""

    def __str__(self) -> str:
        return self.sql or f"{self.name} {self.type}".rstrip()


@dataclass(frozen=True, slots=True, repr=False)
class IndexedColumn(Shown):
    """A column, or an expression, of an index or key."""

    name: str | None
    """None if it is an expression."""
    expression: str | None
    """None if it is a column."""
    collation: str | None
    """As written; None is the column's own."""
    descending: bool
    """DESC is written."""

    def __str__(self) -> str:
        text = self.name or self.expression or ""
        if self.collation:
            text += f" COLLATE {self.collation}"
        return text + (" DESC" if self.descending else "")


@dataclass(frozen=True, slots=True, repr=False)
class Key(Shown):
    """PRIMARY KEY or UNIQUE, of a column or of the table."""

    name: str | None
    """Of the constraint."""
    primary: bool
    """PRIMARY KEY; else UNIQUE."""
    columns: Items[IndexedColumn]
    """In the order of the key."""
    on_conflict: str | None
    """Such as ``"REPLACE"``."""
    autoincrement: bool
    """AUTOINCREMENT is written."""

    def __str__(self) -> str:
        kind = "PRIMARY KEY" if self.primary else "UNIQUE"
        return f"{kind} ({', '.join(map(str, self.columns))})"


@dataclass(frozen=True, slots=True, repr=False)
class Check(Shown):
    """A CHECK, of a column or of the table."""

    name: str | None
    """Of the constraint."""
    column: str | None
    """That it is written at."""
    expression: str
    """Without the parentheses around it."""

    def __str__(self) -> str:
        return f"CHECK ({self.expression})"


@dataclass(frozen=True, slots=True, repr=False)
class ForeignKey(Shown):
    """A foreign key, or a relation that a model declares."""

    name: str | None
    """Of the constraint."""
    columns: tuple[str, ...]
    """That refer."""
    table: str
    """That it refers to."""
    table_columns: tuple[str, ...]
    """Empty: its primary key."""
    on_delete: str | None
    """Such as ``"SET NULL"``."""
    on_update: str | None
    """Such as ``"CASCADE"``."""
    match: str | None
    """Such as ``"FULL"``."""
    deferral: str | None
    """Such as ``"DEFERRABLE INITIALLY DEFERRED"``."""
    relation: bool
    """Declared in a model, and no constraint unless foreign keys are asked for."""

    def __str__(self) -> str:
        there = f" ({', '.join(self.table_columns)})" if self.table_columns else ""
        return f"({', '.join(self.columns)}) REFERENCES {self.table}{there}"


@dataclass(frozen=True, slots=True, repr=False)
class Index(Shown):
    """An index."""

    name: str
    """Its name."""
    table: str
    """That it is of."""
    unique: bool
    """UNIQUE is written."""
    columns: Items[IndexedColumn]
    """In order."""
    where: str | None
    """Of a partial index."""
    sql: str
    """The whole statement."""

    def __str__(self) -> str:
        return self.sql


@dataclass(frozen=True, slots=True, repr=False)
class Trigger(Shown):
    """A trigger."""

    name: str
    """Its name."""
    table: str
    """Or view."""
    timing: str
    """``"BEFORE"``, ``"AFTER"`` or ``"INSTEAD OF"``."""
    event: str
    """``"INSERT"``, ``"UPDATE"`` or ``"DELETE"``."""
    sql: str
    """The whole statement."""

    def __str__(self) -> str:
        return f"{self.name} {self.timing} {self.event} ON {self.table}"


@dataclass(frozen=True, slots=True, repr=False)
class Table(Shown):
    """A table, and what belongs to it."""

    name: str
    """Its name."""
    kind: str
    """``"ordinary"``, ``"virtual"`` or ``"shadow"``: that of a virtual table."""
    module: str | None
    """Of a virtual table."""
    without_rowid: bool
    """WITHOUT ROWID is written."""
    strict: bool
    """STRICT is written."""
    columns: Items[Column]
    """In order."""
    keys: Items[Key]
    """PRIMARY KEY and UNIQUE, where they are written."""
    checks: Items[Check]
    """Of its columns and of itself."""
    foreign_keys: Items[ForeignKey]
    """Of its columns and of itself."""
    indexes: Items[Index]
    """That were made with CREATE INDEX."""
    triggers: Items[Trigger]
    """Of this table."""
    sql: str
    """The whole statement."""

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.columns.names)})"


@dataclass(frozen=True, slots=True, repr=False)
class View(Shown):
    """A view."""

    name: str
    """Its name."""
    columns: Items[Column]
    """Empty if SQLite cannot tell: the view is broken."""
    triggers: Items[Trigger]
    """Of this view."""
    sql: str
    """The whole statement."""

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.columns.names)})"


def _place(table: str | None, name: str | None) -> str:
    return ".".join(part for part in dict.fromkeys((table, name)) if part)


@dataclass(frozen=True, slots=True, repr=False)
class SchemaChange(Shown):
    """One thing that differs between two schemas."""

    operation: str
    """``"add"``, ``"remove"``, ``"change"`` or ``"rename"``."""
    object: str
    """What it is about: ``"table"``, ``"column"``, ``"key"``, ``"check"``,
    ``"foreign_key"``, ``"index"``, ``"trigger"``, ``"view"`` or ``"virtual_table"``."""
    table: str | None
    """That it is in; of a table or view its own name."""
    name: str | None
    """Of the object; of a constraint without a name its SQL."""
    aspect: str
    """What of it: ``"whole"``, or for example ``"type"``, ``"not_null"``,
    ``"default"``."""
    from_: str | None
    """SQL or old name; None if it was added."""
    to: str | None
    """SQL or new name; None if it was removed."""
    effect: str
    """What it does to the rows: ``"additive"``, ``"safe"``, ``"checked"`` (rows may
    be in the way), ``"lossy"`` (values may be converted) or ``"destructive"``."""
    unknown: bool
    """The texts differ, but what they mean may not."""
    note: str | None
    """One line for people."""

    def __str__(self) -> str:
        text = f"{self.operation} {self.object} {_place(self.table, self.name)}"
        if self.aspect != "whole":
            text += f", {self.aspect}"
        return f"{text}: {self.note}" if self.note else text


@dataclass(frozen=True, slots=True, repr=False)
class PlanStep(Shown):
    """One step of a plan."""

    method: str
    """``"create"``, ``"drop"``, ``"rename"``, ``"add_column"``, ``"alter"`` or
    ``"rebuild"``."""
    object: str
    """As in :class:`SchemaChange`."""
    table: str | None
    """That it works on."""
    name: str | None
    """Of the object."""
    reason: str | None
    """One line: what it is for."""
    effect: str
    """As in :class:`SchemaChange`."""
    refused: str | None
    """Why it will not be run; None: it will."""
    changes: tuple[SchemaChange, ...]
    """That it makes."""
    statements: tuple[str, ...]
    """What is run."""
    rows: int
    """That have to be read or copied."""
    bytes: int
    """Of disk that are needed meanwhile; an estimate."""

    def __str__(self) -> str:
        text = f"{self.method} {_place(self.table, self.name)}"
        if self.reason:
            text += f": {self.reason}"
        return f"{text} (refused: {self.refused})" if self.refused else text


@dataclass(frozen=True, slots=True, repr=False)
class Finding(Shown):
    """Rows that are in the way of a plan."""

    kind: str
    """``"null"``, ``"duplicate"``, ``"check"``, ``"foreign_key"``, ``"lossy"`` or
    ``"type"``."""
    table: str
    """Whose rows they are."""
    columns: tuple[str, ...]
    """That are concerned."""
    count: int
    """How many rows."""
    samples: tuple[str, ...]
    """A few of them, each as a condition for WHERE: ``"rowid = 5"``."""
    fatal: bool
    """Applying would fail; False: it would convert values."""
    note: str | None
    """One line for people."""

    def __str__(self) -> str:
        return self.note or f"{self.kind} in {self.count} rows of {self.table}"


@dataclass(frozen=True, slots=True, repr=False)
class SchemaAction(Shown):
    """Something that was done to a schema, or was refused."""

    done: bool
    """True if it was done, False if it was refused."""
    object: str
    """As in :class:`SchemaChange`."""
    table: str | None
    """That it is in."""
    name: str | None
    """Of the object."""
    sql: str | None
    """What was run; None if it was refused."""
    reason: str | None
    """Why it was refused."""
    rows: int
    """That were copied."""

    def __str__(self) -> str:
        if self.sql is not None:
            first, *more = self.sql.splitlines() or [""]
            return f"{first} ..." if more else first
        return f"{self.object} {_place(self.table, self.name)}: refused, {self.reason}"


def make_change(**fields: object) -> SchemaChange:
    """Make one whose field ``from`` has a name that Python can take."""
    fields["from_"] = fields.pop("from")
    return SchemaChange(**fields)  # type: ignore[arg-type]


_native.shape_setup(
    {
        "column": Column,
        "indexed_column": IndexedColumn,
        "key": Key,
        "check": Check,
        "foreign_key": ForeignKey,
        "index": Index,
        "trigger": Trigger,
        "table": Table,
        "view": View,
        "change": make_change,
        "step": PlanStep,
        "finding": Finding,
        "action": SchemaAction,
    },
    Items,
)
