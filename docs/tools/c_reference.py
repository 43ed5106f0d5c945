"""The C reference: the prose of the public headers, as it stands there."""

import re
from pathlib import Path

FILE = re.compile(
    r"/\*\*\s*\n \* @file (?P<file>\S+)\n \* @brief (?P<brief>.*?)\n(?P<rest>.*?)\*/", re.S
)
SECTION = re.compile(r"/\* (?P<title>## .*?)\*/", re.S)


def plain(comment: str) -> str:
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment.strip().splitlines()]
    return "\n".join(lines).strip()


def as_markdown(comment: str) -> str:
    text = plain(comment)
    text = re.sub(r"::(\w+)", r"`\1`", text)
    text = re.sub(r"@param(?:\[\w+\])?\s+(\w+)\s+", r"\n- `\1`: ", text)
    text = re.sub(r"@return\s+", "\n- returns ", text)
    # Text that goes on in an indented line belongs to its list entry.
    text = re.sub(r"\n +(?! )", "\n  ", text)
    return text.replace("<", "&lt;").strip()


def declaration(code: str) -> str:
    code = code.strip()
    if code.startswith(("typedef struct", "typedef enum")) and "{" in code:
        return code
    return code.split("\n\n")[0].replace("ROWTIDE_API ", "").strip()


def entries(source: str):
    """The documented declarations of a header, in order."""
    position = 0
    pattern = re.compile(r"/\*\*(?! *\n \* @file)(?!<)(.*?)\*/[ \n]*", re.S)
    while match := pattern.search(source, position):
        position = match.end()
        rest = source[position:]
        if rest.startswith(("typedef struct", "typedef enum")) and "{" in rest.split(";")[0]:
            end = re.search(r"^\}[^;]*;", rest, re.M).end()
        elif rest.startswith("#define"):
            end = re.search(r"(?<!\\)\n", rest).end()
        else:
            end = rest.find(";") + 1
        code = rest[:end]
        position += end
        yield match.start(), match.group(1), code


def name_of(code: str) -> str:
    if found := re.match(r"#define (\w+)", code):
        return found[1]
    if found := re.search(r"\(\*(\w+)\)", code.split("{")[0]):
        return found[1]
    if "{" in code:
        return re.search(r"\}\s*(\w+)\s*;", code)[1]
    if found := re.search(r"(\w+)\s*\(", code):
        return found[1]
    return re.search(r"(\w+)\s*;", code)[1]


def page(header: Path) -> str:
    source = header.read_text()
    head = FILE.search(source)
    lines = [f"## `<{head['file']}>`", "", f"**{plain(head['brief'])}**", ""]
    lines += [as_markdown(head["rest"]), ""]
    items = [(at, "entry", comment, code) for at, comment, code in entries(source)]
    items += [(m.start(), "section", m["title"], "") for m in SECTION.finditer(source)]
    for _, kind, text, code in sorted(items):
        if kind == "section":
            title, _, rest = plain(text).partition("\n")
            lines += [f"### {title.lstrip('# ')}", ""]
            if rest.strip():
                lines += [rest.strip("\n"), ""]
        else:
            lines += [
                f"#### `{name_of(code)}`",
                "",
                "```c",
                declaration(code),
                "```",
                "",
                as_markdown(text),
                "",
            ]
    return "\n".join(lines)


def make(root: Path) -> str:
    headers = sorted((root / "core/include/rowtide").glob("*.h"))
    first = [h for h in headers if h.name == "common.h"]
    body = [page(h) for h in first + [h for h in headers if h not in first]]
    return "# C reference\n\nMade from the headers by `script/docs`.\n\n" + "\n".join(body)
