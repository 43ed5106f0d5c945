"""Changesets that need not fit into memory: files, readers and writers."""

import gzip
import tempfile
from pathlib import Path

from rowtide import stream
from users import open_users, print_users

db, replica = open_users(), open_users()
with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    with db.capture() as change:
        db.execute("UPDATE users SET age = age + 1")
        change.stream_to(directory / "ages.changeset")

    with gzip.open(directory / "undo.gz", "wb") as packed:
        stream.invert(directory / "ages.changeset", packed)

    for op in stream.iterate(directory / "ages.changeset"):
        print(op.kind, op.primary_key)
    replica.apply(directory / "ages.changeset")
    print_users("replica", replica)

    with gzip.open(directory / "undo.gz") as packed:
        replica.apply(packed)
    print_users("undone", replica)

db.close()
replica.close()
