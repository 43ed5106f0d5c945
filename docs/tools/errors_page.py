"""The page of errors, from the one table that there is."""

import re
from pathlib import Path

ROW = re.compile(r'X\((\w+), (-\d+), "(\w+)", (\w+), (\w+),\s*"(.*?)"\)', re.S)

INTRO = """# Errors

One table in `<rowtide/error.h>` makes all of this; the page is made from it by `script/docs`.

- **C** functions return the code; `rowtide_error_message()` has one line that names the thing
  and the place, `rowtide_error_sqlite_code()` SQLite's extended code if there is one,
  `rowtide_error_offset()` the byte that an error in the input points at.
- **Python** raises the class, a subclass of `rowtide.Error` and of the built-in one, with
  `.code`, `.name`, `.sqlite_code` and `.offset`.
- **Lua** functions return `nil, message, name`. Wrong use, such as an argument of the wrong
  type, is a Lua error.
- **The command** prints the line to standard error, or an object with `--json`;
  [its exit status](cli.md) says what kind of failure it was.

What a callback raises in Python or Lua comes out of the call that ran it, as it is.

| C | code | Lua, `.name` | Python | also a | means |
| --- | --- | --- | --- | --- | --- |
"""


def make(root: Path) -> str:
    source = (root / "core/include/rowtide/error.h").read_text()
    source = re.sub(r"\s*\\\n\s*", " ", source)
    rows = ROW.findall(source)
    lines = []
    for symbol, code, name, cls, base, text in rows:
        also = "" if base == "Exception" else f"`{base}`"
        lines.append(f"| `ROWTIDE_{symbol}` | {code} | `{name}` | `{cls}` | {also} | {text} |")
    return INTRO + "\n".join(lines) + "\n"
