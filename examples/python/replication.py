"""A primary, a directory of numbered changesets, and a replica."""

import tempfile

from users import open_users, print_users

db, copy = open_users(), open_users()
with tempfile.TemporaryDirectory() as directory:
    primary = db.primary(directory)
    with primary.record("users") as record:
        db.execute("INSERT INTO users VALUES (3, 'Grace', 85)")
    print("published changeset", record.number)

    replica = copy.replica(directory)
    print("the replica applied", replica.pull())
    print_users("replica", copy)

db.close()
copy.close()
