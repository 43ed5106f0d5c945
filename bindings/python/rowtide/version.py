"""The version, and whether the SQLite that is loaded can serve it."""

from . import _native

__version__: str = _native.version()

_native.check_runtime()
