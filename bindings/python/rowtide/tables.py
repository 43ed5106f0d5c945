"""How tables are chosen: by name, by a list of names, or by asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .errors import UserError

Tables = str | Iterable[str] | Callable[[str], object]
"""A name, names, or a function that says yes or no to a name."""


def table_names(tables: Iterable[str]) -> tuple[str, ...]:
    """Check that these are names."""
    names = (tables,) if isinstance(tables, str) else tuple(tables)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a table name must be a str, not {type(name).__name__}")
    return names


def fold(name: str) -> str:
    """Bring a name into the form in which SQLite compares it."""
    if name.isascii():
        return name.lower()
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def table_filter(tables: Tables) -> Callable[[str], object]:
    """Make a function of it that says yes or no to a name."""
    if callable(tables):
        return tables
    names = frozenset(map(fold, table_names(tables)))
    return lambda table: fold(table) in names


class LateFilter:
    """A filter that SQLite asks in the middle of other statements.

    An exception cannot pass through there, so it waits until the capture ends.
    """

    __slots__ = ("choose", "error")

    def __init__(self, choose: Callable[[str], object]) -> None:
        self.choose = choose
        self.error: BaseException | None = None

    def __call__(self, table: str) -> bool | None:
        if self.error is not None:
            return None
        try:
            return bool(self.choose(table))
        except BaseException as error:
            self.error = error
            return None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UserError) and self.error is not None:
            waiting, self.error = self.error, None
            raise waiting from None
