"""What is open until it is closed."""

from __future__ import annotations

from typing import ClassVar, Self

from ._native import Handle
from .errors import ClosedError


class Closing:
    """Open until ``close()`` or the end of its ``with`` block."""

    __slots__ = ("__weakref__", "_handle")

    _name: ClassVar[str]

    def __init__(self, handle: Handle) -> None:
        self._handle: Handle | None = handle

    def _get(self) -> Handle:
        if self._handle is None:
            raise ClosedError(f"the {self._name} is closed")
        return self._handle

    def close(self) -> None:
        """Close it, undoing a recording that was begun. May be called again."""
        self._handle = None

    def __enter__(self) -> Self:
        self._get()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
