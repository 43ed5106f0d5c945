"""``python -m rowtide`` is the ``rowtide`` command that was installed with this package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path


def find_command() -> str | None:
    """Find the command: of this installation, of this build tree, or on PATH."""
    places = [Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))]
    places.append(Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))))
    for place in places:
        if found := shutil.which("rowtide", path=str(place)):
            return found
    return shutil.which("rowtide")


def main() -> int:
    """Run the command with the same arguments and give its exit status."""
    command = find_command()
    if command is None:
        print("rowtide: the rowtide command was not found beside this Python", file=sys.stderr)
        return 127
    arguments = [command, *sys.argv[1:]]
    if hasattr(os, "execv") and os.name == "posix":
        os.execv(command, arguments)
    return subprocess.call(arguments)


if __name__ == "__main__":
    sys.exit(main())
