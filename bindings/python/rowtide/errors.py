"""The exceptions, one for each code of the library.

Every class also derives from the built-in exception that says the same, so
``except ValueError`` catches a :class:`CorruptError`.
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """The root of all errors of Rowtide.

    ``code`` and ``name`` are the same in C, Lua and the shell. ``sqlite_code`` is
    SQLite's extended result code, 0 if SQLite had no part in it. ``offset`` is the
    byte of the input that the error points at, or None.
    """

    code: ClassVar[int] = 0
    name: ClassVar[str] = "unknown"
    sqlite_code: int
    offset: int | None

    def __init__(
        self, message: str = "", *, sqlite_code: int = 0, offset: int | None = None
    ) -> None:
        super().__init__(message)
        self.sqlite_code = sqlite_code
        self.offset = offset


class SqlError(Error):
    """SQLite refused a statement."""

    code = -1
    name = "sql"


class InvalidError(Error, ValueError):
    """An argument is missing, out of range or of the wrong form."""

    code = -2
    name = "invalid"


class NoMemoryError(Error, MemoryError):
    """Memory ran out."""

    code = -3
    name = "no_memory"


class MisuseError(Error, RuntimeError):
    """A call was made at a moment when it is not allowed."""

    code = -4
    name = "misuse"


class ClosedError(Error, ValueError):
    """The handle, or the connection under it, is closed."""

    code = -5
    name = "closed"


class BusyError(Error, TimeoutError):
    """Another connection holds the lock."""

    code = -6
    name = "busy"


class CorruptError(Error, ValueError):
    """Bytes are not what they claim to be."""

    code = -7
    name = "corrupt"


class SchemaError(Error, LookupError):
    """A table or column is missing, has no primary key, or does not fit."""

    code = -8
    name = "schema"


class ConflictError(Error, RuntimeError):
    """A change conflicts with the database and the policy was to abort."""

    code = -9
    name = "conflict"


class ConstraintError(Error, ValueError):
    """A constraint of the database would be violated."""

    code = -10
    name = "constraint"


class NotFoundError(Error, LookupError):
    """What was named does not exist."""

    code = -11
    name = "not_found"


class ExistsError(Error, ValueError):
    """What should be made exists already."""

    code = -12
    name = "exists"


class FullError(Error, OSError):
    """The disk is full."""

    code = -13
    name = "full"


class IoError(Error, OSError):
    """Reading or writing a file failed."""

    code = -14
    name = "io"


class ReadOnlyError(Error, PermissionError):
    """The database or file may not be written."""

    code = -15
    name = "read_only"


class TooBigError(Error, OverflowError):
    """A value or result is over a limit."""

    code = -16
    name = "too_big"


class CancelledError(Error, RuntimeError):
    """The call was cancelled and undid what it had done."""

    code = -17
    name = "cancelled"


class ThreadError(Error, RuntimeError):
    """The handle is in use on another thread."""

    code = -18
    name = "thread"


class ForkError(Error, RuntimeError):
    """The handle was made in another process, before a fork."""

    code = -19
    name = "fork"


class UnsupportedError(Error, RuntimeError):
    """The SQLite library that is loaded cannot do this."""

    code = -20
    name = "unsupported"


class GapError(Error, RuntimeError):
    """A numbered changeset is missing from the sequence."""

    code = -21
    name = "gap"


class UserError(Error, RuntimeError):
    """A callback failed; normally its own exception is raised instead."""

    code = -22
    name = "user"


class InternalError(Error, RuntimeError):
    """A fault in the library itself; please report it."""

    code = -23
    name = "internal"


BY_CODE: dict[int, type[Error]] = {cls.code: cls for cls in Error.__subclasses__()}


def make_error(code: int, message: str, sqlite_code: int, offset: int) -> Error:
    """Make the exception for a code of the library."""
    cls = BY_CODE.get(code, Error)
    return cls(message, sqlite_code=sqlite_code, offset=None if offset < 0 else offset)
