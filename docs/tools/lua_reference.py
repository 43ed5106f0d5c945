"""The Lua reference, from the annotations that editors read as well."""

import re
from pathlib import Path


def blocks(source: str):
    """Runs of `---` lines with the declaration that follows them."""
    comment: list[str] = []
    for line in source.splitlines():
        if line.startswith("---"):
            comment.append(line[3:])
        elif comment:
            yield comment, line
            comment = []


def describe(comment: list[str]) -> list[str]:
    lines = []
    for line in comment:
        text = line.strip()
        if found := re.match(r"@param (\S+) (.+)", text):
            lines.append(f"- `{found[1]}`: {as_type(found[2])}")
        elif found := re.match(r"@return (.+)", text):
            lines.append(f"- returns {as_type(found[1])}")
        elif found := re.match(r"@field (\S+) (.+)", text):
            lines.append(f"- `{found[1]}`: {as_type(found[2])}")
        elif found := re.match(r"@(alias|overload) (.+)", text):
            lines.append(f"- {found[1]} `{found[2]}`")
        elif found := re.match(r"\| (.+)", text):
            lines.append(f"- {found[1]}")
        elif not text.startswith("@"):
            lines.append(text)
    return lines


def as_type(text: str) -> str:
    """`type description`; a type may hold spaces within its brackets."""
    depth = 0
    for at, char in enumerate(text):
        depth += (char in "<({[") - (char in ">)}]")
        if (
            char == " "
            and depth == 0
            and not text[:at].endswith((":", "|", ","))
            and text[at + 1 : at + 2] != "|"
        ):
            return f"`{text[:at]}` {text[at + 1 :].lstrip('# ')}"
    return f"`{text}`"


def make(root: Path) -> str:
    source = (root / "bindings/lua/types/rowtide.d.lua").read_text()
    lines = [
        "# Lua reference",
        "",
        "Made from `bindings/lua/types/rowtide.d.lua` by `script/docs`.",
        "",
    ]
    for comment, code in blocks(source):
        joined = "\n".join(comment)
        if found := re.search(r"@(?:class|alias) ([\w.]+)", joined):
            lines += [f"## `{found[1]}`", ""]
        elif found := re.match(r"function ([\w.:]+)(\(.*?\))", code):
            lines += [f"### `{found[1]}{found[2]}`", ""]
        else:
            continue
        lines += [*describe(comment), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"
