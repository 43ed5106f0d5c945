"""The Python reference, from the signatures and docstrings of the package.
griffe reads the source, so nothing has to be built."""

from pathlib import Path

import griffe


def is_public(obj) -> bool:
    return not obj.name.startswith("_") or obj.name in {
        "__invert__",
        "__add__",
        "__len__",
        "__iter__",
        "__bytes__",
    }


def docstring(obj) -> str:
    return obj.docstring.value.strip() if obj.docstring else ""


def signature(function) -> str:
    return str(function.signature()) if hasattr(function, "signature") else f"{function.name}()"


def member_lines(member) -> list[str]:
    if member.is_function:
        return [f"#### `{signature(member)}`", "", docstring(member), ""]
    if member.is_attribute and docstring(member):
        kind = f": {member.annotation}" if member.annotation else ""
        return [f"#### `{member.name}{kind}`", "", docstring(member), ""]
    return []


def class_lines(cls, heading: str = "##") -> list[str]:
    bases = ", ".join(str(base) for base in cls.bases)
    lines = [
        f"{heading} class `{cls.name}{f'({bases})' if bases else ''}`",
        "",
        docstring(cls),
        "",
    ]
    for member in cls.members.values():
        if is_public(member) and not member.is_alias:
            lines += member_lines(member)
    return lines


def module_members(module) -> list:
    """What the module offers, wherever it is written; public elsewhere is left out."""
    package = module.parent
    elsewhere = {str(name) for name in package.exports or []}
    names = [str(name) for name in module.exports or []] or list(module.members)
    members = [module[name] for name in names if name not in elsewhere]
    if not module.exports:
        members = [member for member in members if not member.is_alias]
    members = [member.final_target if member.is_alias else member for member in members]
    return sorted(filter(is_public, members), key=lambda member: member.is_class)


def object_lines(obj) -> list[str]:
    if obj.is_class:
        return class_lines(obj)
    if obj.is_function:
        return [f"## `{signature(obj)}`", "", docstring(obj), ""]
    if obj.is_module:
        lines = [f"## module `{obj.path}`", "", docstring(obj), ""]
        for member in module_members(obj):
            lines += class_lines(member, "###") if member.is_class else member_lines(member)
        return lines
    return [f"## `{obj.name}`", "", docstring(obj), ""] if docstring(obj) else []


def with_bases(package, names: list[str]) -> list:
    """The public objects, and classes of ours that they get their methods from."""
    objects = []
    for name in names:
        obj = package[name]
        obj = obj.final_target if obj.is_alias else obj
        bases = obj.mro() if obj.is_class else []
        objects += [
            base
            for base in bases
            if base.package is package and base.name not in names and base not in objects
        ]
        objects.append(obj)
    return objects


def make(root: Path) -> str:
    package = griffe.load(
        "rowtide", search_paths=[root / "bindings/python"], allow_inspection=False
    )
    lines = [
        "# Python reference",
        "",
        "Made from the package by `script/docs`.",
        "",
        docstring(package),
        "",
    ]
    for obj in with_bases(package, [str(name) for name in package.exports or []]):
        lines += object_lines(obj)
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip() + "\n"
