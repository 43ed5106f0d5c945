"""Compare what the shared library exports with what the public headers declare."""

import argparse
import re
import subprocess
import sys
from pathlib import Path


def declared(include: Path) -> set[str]:
    names: set[str] = set()
    for header in include.rglob("*.h"):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", header.read_text(), flags=re.S)
        for found in re.finditer(r"\bROWTIDE_API\b([^;{]*)", text):
            name = re.search(r"\b(rowtide_\w+)\s*\(", found.group(1))
            if name:
                names.add(name.group(1))
    return names


def exported(nm: str, library: Path) -> set[str]:
    command = [nm, "-D", "--defined-only", "--format=posix", str(library)]
    text = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    return {line.split()[0].split("@")[0] for line in text.splitlines() if line}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", required=True)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--include", type=Path, required=True)
    args = parser.parse_args()
    promised = declared(args.include)
    given = exported(args.nm, args.library)
    for name in sorted(promised - given):
        print(f"declared but not exported: {name}")
    for name in sorted(given - promised):
        print(f"exported but not declared: {name}")
    print(f"{len(promised & given)} functions agree")
    return 1 if promised != given or not promised else 0


sys.exit(main())
