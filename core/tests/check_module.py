"""Check what a binding module shows to the loader, and what it asks of it."""

import argparse
import subprocess
import sys
from pathlib import Path


def output(*command: str) -> str:
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout


def exported(module: Path) -> set[str]:
    text = output("nm", "-D", "--defined-only", "--format=posix", str(module))
    return {line.split()[0] for line in text.splitlines()}


def needed(module: Path) -> set[str]:
    lines = output("readelf", "-d", str(module)).splitlines()
    return {line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entry", required=True)
    parser.add_argument("module", type=Path)
    args = parser.parse_args()
    wrong = [f"exports {name}" for name in exported(args.module) ^ {args.entry}]
    libraries = needed(args.module)
    if not any(name.startswith("libsqlite3.") for name in libraries):
        wrong.append("does not use the system's libsqlite3")
    for name in libraries:
        if name.startswith(("liblua", "libpython")):
            wrong.append(f"is linked to {name}, a second copy of its host")
    for line in wrong:
        print(f"{args.module}: {line}")
    return 1 if wrong else 0


sys.exit(main())
