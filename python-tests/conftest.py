"""Fixtures: small databases that every test can write to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import rowtide

hypothesis.settings.register_profile("rowtide", max_examples=60, deadline=None)
hypothesis.settings.load_profile("rowtide")

USERS = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user REFERENCES users, total REAL);
    INSERT INTO users VALUES (1, 'Bob', 30), (2, 'Eve', 40), (3, 'Max', NULL);
"""

Make = Callable[..., rowtide.Connection]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make connections that are closed at the end of the test."""
    with contextlib.ExitStack() as stack:

        def make(
            script: str = USERS, path: str | Path = ":memory:", **options: object
        ) -> rowtide.Connection:
            db = rowtide.connect(path, **options)
            stack.callback(db.close)
            db.executescript(script)
            return db

        yield make


@pytest.fixture
def db(make: Make) -> rowtide.Connection:
    return make()


@pytest.fixture
def replica(make: Make) -> rowtide.Connection:
    return make()


@pytest.fixture
def rename(db: rowtide.Connection) -> rowtide.Changeset:
    """Bob becomes Ada in `db`, committed."""
    with db.capture("users") as change:
        db.execute("UPDATE users SET name = 'Ada' WHERE id = 1")
    db.commit()
    return change.changeset


def rows(db: rowtide.Connection, table: str = "users") -> list[tuple[object, ...]]:
    return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
