"""What the native calls are given: plain tuples, made from keyword arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._native import Handle

Text = str | bytes | None
Callback = Callable[..., object] | None
Buffer = bytes | bytearray | memoryview

ApplyOptions = tuple[
    tuple[int, int, int, int, int], Callback, Callback, Callback, int, Callback
]
CaptureOptions = tuple[Text, tuple[str, ...] | None, Callback, int, int]
DiffOptions = tuple[tuple[str, ...] | None, Callback, int, Callback]
RenderOptions = tuple[Handle | None, int, int, str | None]
AuditEntryOptions = tuple[str | None, str | None, str | None]
PullOptions = tuple[int, int, bytes | None, bool, tuple[str, ...] | None, int]
ReportLine = tuple[str | None, int, int, int, int, str | None]
Options = dict[str, Any]
