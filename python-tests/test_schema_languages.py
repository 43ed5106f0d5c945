"""One model in SQL, Python, Lua and C is one schema, to the last word of its JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from rowtide.schema import Schema, belongs_to, check, column, index, table

FOLDER = Path(__file__).parent / "schema_model"


@table(index("name", "id DESC", name="by_name", where="name <> ''"),
       check("length(name) > 0", name="named"))  # fmt: skip
@dataclass
class User:
    id: int
    email: Annotated[str, column(unique=True, collation="NOCASE")]
    name: str = "nobody"
    deleted_at: Annotated[str | None, column(soft_delete=True)] = None


@dataclass
class Post:
    id: int
    user_id: Annotated[int, belongs_to(User, on_delete="CASCADE", foreign_key=True)]
    title: Annotated[str, column(check="title <> ''", indexed=True)]
    loud: Annotated[str, column(generated_as="upper(title)")]


@table(strict=True, without_rowid=True, primary_key=["scope", "word"])
@dataclass
class Tag:
    scope: str
    word: str
    weight: float = 1.5


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    found = Schema.parse((FOLDER / "model.sql").read_text()).to_json()
    model: dict[str, object] = json.loads(found)
    return model


def output_of(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python(expected):
    schema = Schema(User, Post, Tag, "CREATE VIEW names AS SELECT name FROM users;")
    assert json.loads(schema.to_json()) == expected
    assert schema == Schema(FOLDER / "model.sql")


@pytest.mark.parametrize("lua", ["lua5.1", "lua5.3", "lua5.4", "luajit"])
def test_lua(expected, lua):
    if (
        not shutil.which(lua)
        or subprocess.run(
            [lua, "-e", "require 'rowtide'"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip(f"{lua} has no rowtide here")
    assert json.loads(output_of(lua, FOLDER / "model.lua")) == expected


def test_c(expected, tmp_path):
    if not shutil.which("cc") or not shutil.which("pkg-config"):
        pytest.skip("there is no C compiler")
    found = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "rowtide"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if found.returncode:
        pytest.skip("there is no C library here")
    flags = found.stdout.split()
    output_of("cc", "-std=c11", FOLDER / "model.c", "-o", tmp_path / "model", *flags)
    assert json.loads(output_of(tmp_path / "model")) == expected
