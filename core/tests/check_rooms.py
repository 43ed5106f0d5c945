"""Prove that a room compiles with what it may know and with nothing else."""

import argparse
import re
import subprocess
import sys
from pathlib import Path


def compiles(compiler: str, includes: list[Path], text: str) -> bool:
    command = [compiler, "-std=c11", "-fsyntax-only", "-x", "c", "-D_POSIX_C_SOURCE=200809L"]
    command += ["-DSQLITE_ENABLE_SESSION", "-DSQLITE_ENABLE_PREUPDATE_HOOK"]
    command += [f"-I{path}" for path in includes] + ["-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    return done.returncode == 0


def check_room(args: argparse.Namespace, room: str, known: set[str]) -> list[str]:
    wrong = []
    includes = [args.rooms / room, args.source / "include"]
    for header in sorted((args.source / "src").glob("*/*.h")):
        name = f"{header.parent.name}/{header.name}"
        good = compiles(args.compiler, includes, f'#include "{name}"\n')
        if good and header.parent.name not in known:
            wrong.append(f"{room} can include {name}, which it may not know")
        if not good and header.parent.name in known:
            wrong.append(f"{room} cannot include {name}")
    return wrong


def check_sources(source: Path) -> list[str]:
    """No detours: a relative include would leave the room by the window."""
    wrong = []
    for path in sorted((source / "src").glob("*/*.[ch]")):
        text = path.read_text()
        if re.search(r'^\s*#\s*include\s+"\.\.?/', text, re.M):
            wrong.append(f"{path} includes a relative path")
        if path.parent.name in ("base", "crdt") and re.search(r"\bsqlite3session_", text):
            wrong.append(f"{path} uses the session API")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--rooms", type=Path, required=True)
    parser.add_argument("known", nargs="+")
    args = parser.parse_args()
    wrong = check_sources(args.source)
    base = [args.rooms / "base", args.source / "include"]
    if compiles(args.compiler, base, "#include <sqlite3.h>\n"):
        wrong.append("base can include sqlite3.h")
    for entry in args.known:
        room, known = entry.split("=")
        if any((args.source / "src" / room).glob("*.[ch]")):
            wrong += check_room(args, room, set(known.split(",")))
    print("\n".join(wrong))
    return 1 if wrong else 0


sys.exit(main())
