"""cr-sqlite's WebAssembly build in a node process, as a `Database`."""

from __future__ import annotations

import atexit
import itertools
import json
import os
import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .database import ROOT, Row, SqlError, Value

# Of each statement the rows, of each row the values.
Wire = list[list[list[str]]]

HERE = Path(__file__).resolve().parent


def modules_directory() -> Path:
    path = Path(os.environ.get("ROWTIDE_CRDT_PEER", ROOT / "build/crdt_peer"))
    if not (path / "node_modules").is_dir():
        raise RuntimeError(f"{path} has no node_modules: script/bootstrap installs the peer")
    return path


def to_wire(value: Value) -> str:
    match value:
        case None:
            return "n"
        case int():
            return f"i{value}"
        case float():
            return "f" + struct.pack(">d", value).hex()
        case str():
            return "t" + value.encode(errors="surrogateescape").hex()
    return "b" + value.hex()


def from_wire(text: str) -> Value:
    kind, body = text[0], text[1:]
    match kind:
        case "i":
            return int(body)
        case "f":
            return float(struct.unpack(">d", bytes.fromhex(body))[0])
        case "t":
            return bytes.fromhex(body).decode(errors="surrogateescape")
        case "b":
            return bytes.fromhex(body)
    return None


class Process:
    """The node process; `current()` starts it at the first use, and after a crash."""

    running: Process | None = None

    def __init__(self) -> None:
        self.handles = itertools.count(1)
        self.child = subprocess.Popen(
            ["node", str(HERE / "serve.mjs"), str(modules_directory())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        atexit.register(self.stop)

    @classmethod
    def current(cls) -> Process:
        if cls.running is None:
            cls.running = cls()
        return cls.running

    def ask(self, request: dict[str, object]) -> Wire:
        assert self.child.stdin and self.child.stdout
        if self.child.stdin.closed:
            raise SqlError("the peer has ended", -1)
        self.child.stdin.write(json.dumps(request).encode() + b"\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        ended = {"error": "the peer ended", "ended": True}
        answer: dict[str, Any] = json.loads(line) if line else ended
        if answer.get("ended"):
            self.stop()
        if "error" in answer:
            raise SqlError(answer["error"], answer.get("code", -1))
        rows: Wire = answer["rows"]
        return rows

    def stop(self) -> None:
        if Process.running is self:
            Process.running = None
        atexit.unregister(self.stop)
        assert self.child.stdin and self.child.stdout
        self.child.stdin.close()
        self.child.wait(timeout=10)
        self.child.stdout.close()


class Theirs:
    """One database of the peer."""

    def __init__(self, path: str) -> None:
        self.name = "theirs"
        self.process = Process.current()
        self.handle = next(self.process.handles)
        self.process.ask({"do": "open", "db": self.handle, "path": path})

    def ask_run(self, statements: Iterable[tuple[str, Sequence[Value]]]) -> Wire:
        wire = [(sql, [to_wire(value) for value in values]) for sql, values in statements]
        return self.process.ask({"do": "run", "db": self.handle, "statements": wire})

    def run(self, sql: str, *values: Value) -> list[Row]:
        (rows,) = self.ask_run([(sql, values)])
        return [tuple(from_wire(value) for value in row) for row in rows]

    def run_all(self, statements: Iterable[tuple[str, Sequence[Value]]]) -> None:
        self.ask_run(statements)

    @property
    def alive(self) -> bool:
        return Process.running is self.process

    def close(self) -> None:
        if self.alive:
            self.process.ask({"do": "close", "db": self.handle})


def theirs(path: str = ":memory:") -> Theirs:
    """Open a database of the peer, in its process's own memory."""
    return Theirs(path)
