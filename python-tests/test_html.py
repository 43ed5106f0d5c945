"""The HTML page, as a browser sees it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ROWTIDE = os.environ.get("ROWTIDE_BIN") or shutil.which("rowtide") or "rowtide"
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")

SCHEMA = """
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, notes TEXT);
    CREATE TABLE "<img src=x onerror=alert(1)>" (k INTEGER PRIMARY KEY, "<b>v" TEXT);
    INSERT INTO users VALUES (1, 'Ada', 'likes letters very much'), (2, 'Bob', NULL);
"""
WORK = """
    UPDATE users SET notes = 'likes calls very much' WHERE id = 1;
    DELETE FROM users WHERE id = 2;
    INSERT INTO users VALUES (3, '<script>document.title = "owned"</script>', 'a' || char(27));
    INSERT INTO "<img src=x onerror=alert(1)>" VALUES (1, '</td></table><h1>owned</h1>');
"""


def browse(*options: str) -> str:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("html")
    db = sqlite3.connect(folder / "app.db")
    db.executescript(SCHEMA)
    db.close()
    record = [ROWTIDE, "changeset", "record", "app.db", "-q", "-o", "x", "--sql", WORK]
    show = [ROWTIDE, "changeset", "show", "x", "--html", "--db", "app.db", "-o", "x.html"]
    for command in (record, [*show, "--title", "Tuesday"]):
        subprocess.run(command, cwd=folder, check=True)
    return folder / "x.html"


@pytest.fixture(scope="module")
def dom(page: Path) -> str:
    return browse("--dump-dom", page.as_uri())


def test_nothing_in_the_data_is_markup(dom):
    assert "<script" not in dom
    assert "<img" not in dom
    assert "<b>" not in dom
    assert dom.count("<h1>") == 1
    assert "<title>Tuesday</title>" in dom
    assert "&lt;script&gt;" in dom


def test_values_stand_side_by_side(dom):
    assert '<td class="old">likes <mark>letters</mark> very much</td>' in dom
    assert '<td class="new">likes <mark>calls</mark> very much</td>' in dom
    assert '<span class="e">\\x1b</span>' in dom


def test_summary_leads_to_the_tables(dom):
    assert "4 changes in 2 tables" in dom
    for anchor in ("t1", "t2"):
        assert f'href="#{anchor}"' in dom
        assert f'id="{anchor}"' in dom


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", ["--window-size=1100,900"]),
        ("dark", ["--window-size=1100,900", "--blink-settings=preferredColorScheme=0"]),
        ("phone", ["--window-size=500,900"]),
    ],
)
def test_it_can_be_painted(page, name, options):
    picture = page.with_name(f"{name}.png")
    browse(*options, "--hide-scrollbars", f"--screenshot={picture}", page.as_uri())
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">II", header[16:24])[1] == 900
    assert picture.stat().st_size > 10_000
