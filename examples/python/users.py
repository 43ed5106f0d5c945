"""The database that the examples start from."""

import rowtide


def open_users() -> rowtide.Connection:
    """Open a database in memory with two users."""
    db = rowtide.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)")
    db.execute("INSERT INTO users VALUES (1, 'Ada', 36), (2, 'Alan', 41)")
    return db


def print_users(title: str, db: rowtide.Connection) -> None:
    """Print the rows of a database."""
    users = db.execute("SELECT name, age FROM users ORDER BY id")
    print(f"{title}:", ", ".join(f"{name} ({age})" for name, age in users))


if __name__ == "__main__":
    database = open_users()
    print_users("users", database)
    database.close()
