"""Tables as classes: make them, change them, and see what it takes."""

from dataclasses import dataclass
from typing import Annotated

import rowtide
from rowtide.schema import belongs_to, check, column, index, many_to_many, table


@dataclass
class User:
    id: int
    email: Annotated[str, column(unique=True, collation="NOCASE")]
    name: str = ""
    deleted_at: Annotated[str | None, column(soft_delete=True)] = None


@table(index("user_id", "created_at DESC"), check("length(title) > 0"), many_to_many("tags"))
@dataclass
class Post:
    id: int
    user_id: Annotated[int, belongs_to(User, on_delete="CASCADE")]
    title: str
    created_at: Annotated[str, column(default_sql="CURRENT_TIMESTAMP")]


@dataclass
class Tag:
    id: int
    name: Annotated[str, column(unique=True)]


db = rowtide.connect(":memory:", isolation_level=None)
for action in db.auto_migrate(User, Post, Tag, foreign_keys=True):
    print(action)
assert not db.auto_migrate(User, Post, Tag, foreign_keys=True)

# Later, the classes have changed, here as SQL. Adding is safe, the rest is planned.
db.execute("INSERT INTO users (email, name) VALUES ('ada@example.com', 'Ada')")
wanted = db.schema().to_sql().replace('"name" TEXT', '"full_name" TEXT', 1)
plan = db.plan(wanted, renames={"users.name": "full_name"})
print(plan)
assert not plan.preflight()
plan.apply()
print(db.execute("SELECT full_name FROM users").fetchone())
assert db.schema() == rowtide.Schema(wanted)

change = db.schema().diff(rowtide.Schema(User, Post, Tag), renames={"users.full_name": "name"})
print(change.up())
db.close()
