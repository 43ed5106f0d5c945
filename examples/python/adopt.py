"""Use a connection that somebody else opened."""

import sqlite3

import rowtide  # before the connection is opened

plain = sqlite3.connect(":memory:")
plain.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")

db = rowtide.adopt(plain)
with db.capture("users") as change, plain:
    plain.execute("INSERT INTO users VALUES (1, 'Ada')")
print(change.changeset)

db.apply(~change)
print(plain.execute("SELECT count(*) FROM users").fetchone())

plain.close()
