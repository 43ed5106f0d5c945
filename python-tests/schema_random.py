"""Random schemas and random edits, as values of which the SQL is made. Two are equal
exactly if nothing differs between the schemas."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

TYPES = ["INTEGER", "TEXT", "REAL", "BLOB", "VARCHAR(9)", "NUMERIC", ""]
STRICT_TYPES = ["INTEGER", "TEXT", "REAL", "BLOB", "ANY"]
DEFAULTS = [None, "1", "'a b'", "(1 + 1)", "CURRENT_TIMESTAMP"]
NAMES = ["a", "b", "c d", "order", "É", "f"]
TABLES = ["t", "other table", "select"]


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class RandomColumn:
    name: str
    type: str = ""
    not_null: bool = False
    default: str | None = None
    collation: str | None = None
    check: int | None = None
    generated: str | None = None
    stored: bool = False
    references: tuple[str, str | None] | None = None

    def sql(self) -> str:
        words = [quote(self.name), self.type]
        if self.not_null:
            words.append("NOT NULL")
        if self.generated is not None:
            kind = "STORED" if self.stored else "VIRTUAL"
            words.append(f"AS ({quote(self.generated)} || '!') {kind}")
        elif self.default is not None:
            words.append(f"DEFAULT {self.default}")
        if self.collation:
            words.append(f"COLLATE {self.collation}")
        if self.check is not None:
            words.append(f"CHECK ({quote(self.name)} <> {self.check})")
        if self.references:
            table, action = self.references
            words.append(f"REFERENCES {quote(table)}")
            if action:
                words.append(f"ON DELETE {action}")
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class RandomIndex:
    name: str
    columns: tuple[str, ...]
    unique: bool = False
    descending: bool = False
    expression: bool = False
    partial: bool = False

    def sql(self, table: str) -> str:
        parts = [quote(column) for column in self.columns]
        if self.expression:
            parts[0] = f"hex({parts[0]})"
        if self.descending:
            parts[-1] += " DESC"
        where = f" WHERE {quote(self.columns[0])} IS NOT NULL" if self.partial else ""
        unique = "UNIQUE " if self.unique else ""
        on = f"{quote(table)} ({', '.join(parts)})"
        return f"CREATE {unique}INDEX {quote(self.name)} ON {on}{where};"


@dataclass(frozen=True)
class RandomTable:
    name: str
    columns: tuple[RandomColumn, ...]
    key: tuple[str, ...] = ()
    autoincrement: bool = False
    uniques: frozenset[tuple[str, ...]] = frozenset()
    checks: frozenset[tuple[str, int]] = frozenset()
    strict: bool = False
    without_rowid: bool = False
    indexes: frozenset[RandomIndex] = frozenset()
    trigger: int | None = None
    view: tuple[str, ...] = ()
    label: str = ""  # of what belongs to it

    def sql(self) -> list[str]:
        parts = []
        for column in self.columns:
            sql = column.sql()
            if self.key == (column.name,) and self.autoincrement:
                sql += " PRIMARY KEY AUTOINCREMENT"
            parts.append(sql)
        if self.key and not self.autoincrement:
            parts.append(f"PRIMARY KEY ({', '.join(map(quote, self.key))})")
        parts += [f"UNIQUE ({', '.join(map(quote, names))})" for names in sorted(self.uniques)]
        parts += [f"CHECK ({quote(name)} <> {value})" for name, value in sorted(self.checks)]
        options = ["STRICT"] * self.strict + ["WITHOUT ROWID"] * self.without_rowid
        body = ",\n  ".join(parts)
        lines = [f"CREATE TABLE {quote(self.name)} (\n  {body}\n) {', '.join(options)};"]
        lines += [index.sql(self.name) for index in sorted(self.indexes, key=lambda i: i.name)]
        return lines

    def objects(self) -> list[str]:
        found = []
        if self.view:
            columns = ", ".join(map(quote, self.view))
            name = quote("v " + self.label)
            found.append(f"CREATE VIEW {name} AS SELECT {columns} FROM {quote(self.name)};")
        if self.trigger is not None:
            found.append(
                f"CREATE TRIGGER {quote('r ' + self.label)} AFTER DELETE ON {quote(self.name)} "
                f"BEGIN SELECT {self.trigger}, old.{quote(self.columns[0].name)}; END;"
            )
        return found


Schema = dict[str, RandomTable]


def schema_sql(schema: Schema) -> str:
    lines = [line for table in schema.values() for line in table.sql()]
    lines += [line for table in schema.values() for line in table.objects()]
    return "\n".join(lines)


def repair_column(
    column: RandomColumn,
    key: tuple[str, ...],
    stored: list[str],
    types: list[str],
    autoincrement: bool,
    parents: list[str],
) -> RandomColumn:
    if column.generated is not None and column.generated not in stored:
        column = replace(column, generated=None)
    if column.generated is None:
        column = replace(column, stored=False)
    else:
        column = replace(column, default=None, references=None)
    if column.type not in types:
        column = replace(column, type=types[len(column.type) % len(types)])
    if column.name in key:
        column = replace(column, not_null=False, generated=None, stored=False)
        if autoincrement:
            column = replace(column, type="INTEGER")
    if column.references and column.references[0] not in parents:
        column = replace(column, references=None)
    return column


def repair(table: RandomTable, names: list[str]) -> RandomTable:
    """Make a table that SQLite takes of one that was put together at random."""
    first = replace(table.columns[0], generated=None)
    table = replace(table, columns=(first, *table.columns[1:]))
    there = [column.name for column in table.columns]
    stored = [column.name for column in table.columns if column.generated is None]
    key = tuple(name for name in table.key if name in stored)
    if table.without_rowid and not key:
        key = (stored[0],)
    types = STRICT_TYPES if table.strict else TYPES
    autoincrement = table.autoincrement and len(key) == 1 and not table.without_rowid
    columns = tuple(
        repair_column(column, key, stored, types, autoincrement, names)
        for column in table.columns
    )

    def fits(parts: tuple[str, ...]) -> bool:
        return all(part in there for part in parts)

    return replace(
        table,
        columns=columns,
        key=key,
        autoincrement=autoincrement,
        uniques=frozenset(u for u in table.uniques if fits(u) and u != key),
        checks=frozenset(c for c in table.checks if c[0] in there),
        indexes=frozenset(i for i in table.indexes if fits(i.columns)),
        view=tuple(name for name in table.view if name in there),
    )


@st.composite
def columns(draw: st.DrawFn, name: str, strict: bool) -> RandomColumn:
    rarely = st.sampled_from([False, False, False, True])
    generated = draw(st.sampled_from(NAMES)) if draw(rarely) else None
    return RandomColumn(
        name,
        draw(st.sampled_from(STRICT_TYPES if strict else TYPES)),
        draw(rarely),
        draw(st.sampled_from(DEFAULTS)),
        "NOCASE" if draw(rarely) else None,
        draw(st.integers(0, 2)) if draw(rarely) else None,
        generated,
        draw(st.booleans()) if generated else False,
        (draw(st.sampled_from(TABLES)), draw(st.sampled_from([None, "CASCADE", "SET NULL"])))
        if draw(rarely)
        else None,
    )


def some_names(least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(NAMES), min_size=least, max_size=2, unique=True).map(tuple)


@st.composite
def indexes(draw: st.DrawFn, table: str) -> RandomIndex:
    flags = [draw(st.sampled_from([False, False, True])) for _ in range(4)]
    return RandomIndex(f"{draw(st.sampled_from('xyz'))} {table}", draw(some_names()), *flags)


@st.composite
def tables(draw: st.DrawFn, name: str) -> RandomTable:
    rarely = st.sampled_from([False, False, False, True])
    strict = draw(rarely)
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    own = draw(st.lists(indexes(name), max_size=2, unique_by=lambda index: index.name))
    return RandomTable(
        name,
        tuple(draw(columns(column, strict)) for column in names),
        draw(some_names(0)),
        draw(rarely),
        frozenset(draw(st.lists(some_names(), max_size=1))),
        frozenset(
            draw(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 2)), max_size=1))
        ),
        strict,
        draw(rarely),
        frozenset(own),
        draw(st.sampled_from([None, None, 1, 2])),
        draw(some_names(0)),
        name,
    )


def names_are_distinct(schema: Schema) -> bool:
    """Whether a new table has no index or label that an old one has."""
    indexes = [index.name for table in schema.values() for index in table.indexes]
    labels = [table.label for table in schema.values()]
    return len({*indexes}) == len(indexes) and len({*labels}) == len(labels)


def rename_table(schema: Schema, old: str, new: str) -> Schema:
    """Give a table another name, with all that refers to it."""

    def renamed(column: RandomColumn) -> RandomColumn:
        if column.references and column.references[0] == old:
            return replace(column, references=(new, column.references[1]))
        return column

    return {
        (new if name == old else name): replace(
            table,
            name=new if name == old else name,
            columns=tuple(map(renamed, table.columns)),
        )
        for name, table in schema.items()
    }


def rename_column(table: RandomTable, old: str, new: str) -> RandomTable:
    """Give a column another name, with all that mentions it."""

    def one(name: str) -> str:
        return new if name == old else name

    def some(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(one, names))

    return replace(
        table,
        columns=tuple(
            replace(
                column,
                name=one(column.name),
                generated=column.generated and one(column.generated),
            )
            for column in table.columns
        ),
        key=some(table.key),
        uniques=frozenset(map(some, table.uniques)),
        checks=frozenset((one(name), value) for name, value in table.checks),
        indexes=frozenset(
            replace(index, columns=some(index.columns)) for index in table.indexes
        ),
        view=some(table.view),
    )


def repaired(schema: Schema) -> Schema:
    # A key that others refer to has to be there, and to be one column.
    names = [name for name, table in schema.items()]
    first = {name: repair(table, names) for name, table in schema.items()}
    parents = [name for name, table in first.items() if len(table.key) == 1]
    return {name: repair(table, parents) for name, table in first.items()}


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    names = draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=3, unique=True))
    return repaired({name: draw(tables(name)) for name in names})


@st.composite
def edits(draw: st.DrawFn, schema: Schema) -> Schema:
    """Another schema that has most of this one."""
    new = dict(schema)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted({*TABLES, *new})))
        table = new.get(name)
        what = draw(st.sampled_from(["column", "add", "drop", "table", "part", "part"]))
        if table is None or what == "table":
            if table is not None and draw(st.booleans()) and len(new) > 1:
                del new[name]
            elif table is None:
                new[name] = draw(tables(name))
            continue
        there = list(table.columns)
        place = draw(st.integers(0, len(there) - 1))
        if what == "column":
            there[place] = draw(columns(there[place].name, table.strict))
        elif what == "add":
            free = [n for n in NAMES if n not in [c.name for c in there]]
            if free:
                there.append(draw(columns(draw(st.sampled_from(free)), table.strict)))
        elif what == "drop" and len(there) > 1:
            del there[place]
        if not any(column.generated is None for column in there):
            continue
        if what == "part":
            other = draw(tables(name))
            part = draw(
                st.sampled_from(
                    [
                        "key",
                        "autoincrement",
                        "uniques",
                        "checks",
                        "strict",
                        "without_rowid",
                        "indexes",
                        "trigger",
                        "view",
                    ]
                )
            )
            table = replace(table, **{part: getattr(other, part)})
        new[name] = replace(table, columns=tuple(there))
    return repaired(new)
