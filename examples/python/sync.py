"""A phone and a laptop write notes apart, and agree when they meet."""

import rowtide

SCHEMA = "CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, done INTEGER)"


def open_notes() -> rowtide.Connection:
    """Open a database with notes that take part."""
    db = rowtide.connect(":memory:", isolation_level=None)
    db.execute(SCHEMA)
    db.crdt.enable("notes")
    return db


def print_notes(name: str, db: rowtide.Connection) -> None:
    """Print all notes of a database."""
    print(name, db.execute("SELECT * FROM notes ORDER BY id").fetchall())


phone, laptop = open_notes(), open_notes()
phone.execute("INSERT INTO notes VALUES ('milk', 'Buy milk', 0)")
rowtide.sync(phone, laptop)

# Apart: each changes another column of the same row.
phone.execute("UPDATE notes SET done = 1 WHERE id = 'milk'")
laptop.execute("UPDATE notes SET title = 'Buy oat milk' WHERE id = 'milk'")
laptop.execute("INSERT INTO notes VALUES ('call', 'Call Ada', 0)")
rowtide.sync(phone, laptop)
print_notes("phone ", phone)
print_notes("laptop", laptop)

# By hand, over whatever carries bytes: what the other has not seen yet.
seen = laptop.crdt.peers[phone.crdt.site_id]
phone.execute("DELETE FROM notes WHERE id = 'call'")
for change in phone.crdt.pull(seen, only_local=True):
    print(change.table, change.primary_key, change.column, change.value)
data = phone.crdt.payload(seen, exclude=laptop.crdt.site_id)
report = laptop.merge(data)
print(report.tables)
print_notes("laptop", laptop)

phone.close()
laptop.close()
