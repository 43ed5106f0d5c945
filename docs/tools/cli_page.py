# ruff: noqa: E501
"""Makes docs/cli.md and docs/man/rowtide.1 by running the command itself:

python docs/tools/cli_page.py build/bin/rowtide [--check]
"""

import re
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

INTRO = """\
# The command line

`rowtide` does in the shell what the library does in C, Python and Lua. Every example on this page was run, and what stands below it is
what it printed; the page is made by `docs/tools/cli_page.py`. The same as a manual page: `man rowtide`.

- `FILE` may be `-`: standard input, or standard output behind `-o`. Changesets are not printed on a terminal.
- A file behind `-o` is complete or not there: it is written beside its place and moved there at the end.
- `--json` gives results as JSON on standard output and errors as `{"error": {"name", "code", "message", "offset"}}` on standard error.
- Colours and a progress bar are for terminals only; `NO_COLOR` is respected, `--color=always` overrules it, `--quiet` silences the bar.
- `show`, `invert`, `filter` and the others may be joined with pipes.

| exit status | meaning |
| --- | --- |
| 0 | done |
| 1 | failed; one line on standard error says why |
| 2 | wrong usage |
| 3 | a conflict made `apply`, `undo` or `pull` abort; nothing was changed |

With `--exit-code`, `diff` answers as diff(1) does: 0 the same, 1 different, 2 trouble; so does `schema plan`.

## Ten minutes
"""

SETUP = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);
INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Bob', 41);
"""

WRITE = 'rowtide changeset record {} --table notes -o offline.changeset --sql "{}"'
OFFLINE = [
    ("phone.db", "INSERT INTO notes VALUES ('a', 'milk', 0)"),
    ("laptop.db", "INSERT INTO notes VALUES ('b', 'call Eve', 0)"),
]
AGAIN = [
    ("phone.db", "UPDATE notes SET done = 1 WHERE id = 'a'"),
    ("laptop.db", "UPDATE notes SET title = 'oat milk' WHERE id = 'a'"),
]

SHOP = """
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE);
CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE,
  title TEXT,
  pages TEXT
);
CREATE INDEX by_author ON books(author_id, title DESC);
INSERT INTO authors VALUES (1, 'Ursula');
INSERT INTO books VALUES (1, 1, 'The Dispossessed', '341'), (2, 1, NULL, '12 or so');
"""

MODEL = """\
CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE UNIQUE);
CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE,
  name TEXT NOT NULL, -- was called title
  pages INTEGER CHECK (pages > 0)
);
CREATE INDEX by_author ON books(author_id, name DESC);
CREATE TABLE loans (book_id INTEGER REFERENCES books, until TEXT);
"""

NOTES = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, done INTEGER)"

STORY = [
    (
        "Record what some SQL changes, in one transaction.",
        [
            "rowtide changeset record app.db -o work.changeset "
            "--sql \"UPDATE users SET age = 37 WHERE name = 'Ada'\" "
            '--sql "DELETE FROM users WHERE id = 2" --sql "INSERT INTO users VALUES (3, \'Eve\', NULL)"',
            "rowtide changeset show work.changeset --db app.db",
            "rowtide changeset show work.changeset --stat",
        ],
    ),
    (
        "Ship it. `replica.db` is a copy from before.",
        [
            "rowtide changeset apply replica.db work.changeset --dry-run",
            "rowtide changeset apply replica.db work.changeset",
            "rowtide diff app.db replica.db --exit-code",
        ],
    ),
    (
        "A second time it conflicts: nothing is changed, and the exit status is 3. A policy decides instead.",
        [
            "rowtide changeset apply replica.db work.changeset",
            "rowtide changeset apply replica.db work.changeset --json",
            "rowtide changeset apply replica.db work.changeset --on-conflict data=replace "
            "--on-conflict conflict=omit --on-not-found omit",
        ],
    ),
    (
        "Undo it, look at the difference, keep it.",
        [
            "rowtide changeset invert work.changeset | rowtide changeset apply replica.db -",
            "rowtide diff replica.db app.db",
            "rowtide diff replica.db app.db -o again.changeset",
            "rowtide changeset concat work.changeset again.changeset -o both.changeset",
            "rowtide changeset filter both.changeset --table users | rowtide changeset show - --stat --json",
        ],
    ),
    (
        "Other forms. The [JSON form](changeset-json.md) comes back byte for byte.",
        [
            "rowtide changeset to-json work.changeset --compact -o work.json",
            "cat work.json",
            "rowtide changeset from-json work.json | cmp - work.changeset",
            "rowtide changeset to-sql work.changeset --db app.db",
            "rowtide changeset show work.changeset --db app.db --html -o work.html",
        ],
    ),
    (
        "Rebase local work over remote work that was applied.",
        [
            'rowtide changeset record mine.db -o mine.changeset --sql "UPDATE users SET age = 50 WHERE id = 1"',
            "rowtide changeset apply mine.db work.changeset --on-conflict omit --rebase-out work.rebase",
            "rowtide changeset rebase mine.changeset work.rebase | rowtide changeset show -",
        ],
    ),
    (
        "An audit log in the same database.",
        [
            'rowtide audit record app.db --author ann --label birthday --sql "UPDATE users SET age = 38 WHERE id = 1"',
            "rowtide audit log app.db",
            "rowtide audit show app.db 1",
            "rowtide audit prune app.db --keep 0",
        ],
    ),
    (
        "Undo and redo, step by step.",
        [
            'rowtide undo record app.db --label "rename Eve" --sql "UPDATE users SET name = \'Evelyn\' WHERE id = 3"',
            "rowtide undo undo app.db",
            "rowtide undo list app.db",
            "rowtide undo redo app.db",
            "rowtide undo clear app.db",
        ],
    ),
    (
        "One-way replication through a directory.",
        [
            "rowtide replicate publish primary.db stream --sql \"INSERT INTO users VALUES (4, 'Max', 20)\"",
            "rowtide replicate pull follower.db stream",
            "rowtide replicate status follower.db stream",
        ],
    ),
    (
        "Databases that change apart and merge later. `phone.db` and `laptop.db` have an empty table `notes`.",
        [
            "rowtide crdt enable phone.db notes",
            "rowtide crdt enable laptop.db notes",
            *(WRITE.format(db, sql) for db, sql in OFFLINE),
            "rowtide crdt sync phone.db laptop.db",
            "rowtide crdt pull laptop.db --json --local",
        ],
    ),
    (
        "Both change the same row offline, and the changes go through a file.",
        [
            *(WRITE.format(db, sql) for db, sql in AGAIN),
            "rowtide crdt pull phone.db --since 2 -o changes",
            "rowtide crdt merge laptop.db changes",
            "rowtide crdt merge laptop.db changes",
            "rowtide crdt pull laptop.db --since 2 --local --json | rowtide crdt merge phone.db -",
            "rowtide crdt status phone.db",
        ],
    ),
    (
        "Look at a schema. `shop.db` is a database, `model.sql` is what it should be.",
        [
            "rowtide schema show shop.db",
            "rowtide schema show shop.db --svg -o shop.svg",
            "cat model.sql",
        ],
    ),
    (
        "Compare the two. A rename is one only if you say so.",
        [
            "rowtide schema diff shop.db model.sql",
            "rowtide schema diff shop.db model.sql --rename books.title=name",
        ],
    ),
    (
        "Say what would be done, and which rows are in the way; nothing is written. Apply it when they are not.",
        [
            "rowtide schema plan shop.db model.sql --rename books.title=name",
            "rowtide schema apply shop.db model.sql --rename books.title=name --allow lossy",
            "rowtide changeset record shop.db -o fix.changeset "
            "--sql \"UPDATE books SET title = 'Untitled', pages = '12' WHERE id = 2\"",
            "rowtide schema apply shop.db model.sql --rename books.title=name --allow lossy",
            "rowtide schema diff shop.db model.sql --exit-code",
        ],
    ),
    (
        "Or write a migration, up and down, for a review.",
        [
            "echo 'CREATE TABLE loans (book_id INTEGER REFERENCES books, until TEXT, back TEXT)' > next.sql",
            "rowtide schema generate shop.db next.sql --undeclared ignore --up up.sql --down down.sql",
            "cat up.sql down.sql",
        ],
    ),
    (
        "Errors are one line, with the place.",
        [
            'echo \'{"format":"rowtide-changeset",}\' | rowtide changeset from-json -',
            "head -c 20 work.changeset | rowtide changeset show -",
            "head -c 20 work.changeset | rowtide changeset show - --json",
            "rowtide changeset show --colour work.changeset",
        ],
    ),
]


class Shell:
    def __init__(self, rowtide: Path, folder: Path):
        self.folder = folder
        self.sites: dict[str, str] = {}
        links = folder / ".bin"
        links.mkdir()
        (links / "rowtide").symlink_to(rowtide.resolve())
        self.env = {"PATH": f"{links}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        text = re.sub(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-01-31T12:00:00.000Z", done.stdout
        )
        return done.returncode, self.name_sites(text)

    def name_sites(self, text: str) -> str:
        """Random bytes would make the page another one each time."""
        for site in re.findall(r"(?<!\w)[0-9a-f]{12}4[0-9a-f]{19}(?!\w)", text):
            self.sites.setdefault(site, f"{len(self.sites) + 1:x}" * 32)
            text = text.replace(site, self.sites[site])
        return text


def tell(shell: Shell) -> str:
    parts = []
    for words, commands in STORY:
        parts.append(f"\n{words}\n\n```console\n")
        for command in commands:
            status, text = shell.run(command)
            note = f"[exit status {status}]\n" if status else ""
            parts.append(f"$ {command}\n{text}{note}")
        parts.append("```\n")
    return "".join(parts)


def command_names(shell: Shell) -> list[str]:
    lines = shell.run("rowtide help")[1].splitlines()
    return [line[2:24].strip() for line in lines if line.startswith("  ")]


def make_pages(rowtide: Path) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shell = Shell(rowtide, folder)
        for file in ("app", "replica", "mine", "primary", "follower", "phone", "laptop"):
            with sqlite3.connect(folder / f"{file}.db") as db:
                db.executescript(NOTES if file in ("phone", "laptop") else SETUP)
            db.close()
        with sqlite3.connect(folder / "shop.db") as db:
            db.executescript(SHOP)
        db.close()
        (folder / "model.sql").write_text(MODEL)
        page = INTRO + tell(shell) + "\n## Commands\n"
        for command in command_names(shell):
            text = shell.run(f"rowtide help {command}")[1]
            page += f"\n### {command}\n\n```text\n{text}```\n"
        return {"docs/cli.md": page, "docs/man/rowtide.1": shell.run("rowtide help --man")[1]}


def main() -> int:
    stale = 0
    for name, text in make_pages(Path(sys.argv[1])).items():
        path = ROOT / name
        if path.exists() and path.read_text() == text:
            continue
        if "--check" in sys.argv:
            print(f"{name} is not what the command says", file=sys.stderr)
            stale += 1
        else:
            path.write_text(text)
            print(f"made {name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
