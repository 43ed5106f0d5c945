"""Makes the pages of docs/ that come from the source; with --check says which
of them are not what the source says, and exits 1."""

import sys
from pathlib import Path

import c_reference
import errors_page
import lua_reference
import python_reference

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    "docs/errors.md": errors_page.make,
    "docs/reference/c.md": c_reference.make,
    "docs/reference/lua.md": lua_reference.make,
    "docs/reference/python.md": python_reference.make,
}


def main() -> int:
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for name, make in PAGES.items():
        path, text = ROOT / name, make(ROOT)
        if path.exists() and path.read_text() == text:
            continue
        if check:
            print(f"{name} is not what the source says: run script/docs", file=sys.stderr)
            stale += 1
        else:
            path.write_text(text)
            print(f"made {name}")
    return 1 if stale else 0


sys.exit(main())
