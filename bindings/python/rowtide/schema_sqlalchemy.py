"""Models of SQLAlchemy, if it is there: the SQL is what it would run itself."""

from __future__ import annotations

import sys
from typing import Any


def _parts(model: object) -> tuple[Any, list[Any] | None] | None:
    """Find metadata, and which of its tables are meant; None for all of them."""
    sqlalchemy: Any = sys.modules.get("sqlalchemy")
    if sqlalchemy is None:
        return None
    if isinstance(model, sqlalchemy.MetaData):
        return model, None
    if isinstance(model, sqlalchemy.Table):
        return model.metadata, [model]
    if not isinstance(model, type):
        return None
    table = getattr(model, "__table__", None)
    if isinstance(table, sqlalchemy.Table):
        return table.metadata, [table]
    metadata = getattr(model, "metadata", None)
    return (metadata, None) if isinstance(metadata, sqlalchemy.MetaData) else None


def sqlalchemy_sql(model: object) -> str | None:
    """Give the SQL of metadata, a declarative base, a mapped class or a table.

    None if it is something else.
    """
    parts = _parts(model)
    if parts is None:
        return None
    import sqlalchemy

    metadata, tables = parts
    statements: list[str] = []

    def note(statement: Any, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)).strip() + ";\n")

    engine = sqlalchemy.create_mock_engine("sqlite://", note)
    metadata.create_all(engine, tables=tables, checkfirst=False)
    return "".join(statements)
