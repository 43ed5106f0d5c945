"""Decide about conflicts: row by row, or by a table of rules."""

import rowtide
from users import open_users, print_users

db, replica = open_users(), open_users()
with db.capture() as change:
    db.execute("UPDATE users SET age = age + 1")
replica.execute("UPDATE users SET age = 90 WHERE id = 1")
replica.execute("DELETE FROM users WHERE id = 2")

try:
    replica.apply(change)
except rowtide.ConflictError as error:
    print("without rules:", error)


def older_wins(conflict: rowtide.Conflict) -> str:
    """Take the greater of two ages; pass over users that are gone."""
    print("asked:", conflict.message)
    if conflict.kind != "data":
        return "omit"
    return "replace" if conflict.change.new[2] > conflict.conflicting[2] else "omit"


print(replica.apply(change, older_wins))
print(replica.apply(change, {"data": "replace", "not_found": "omit"}))
print_users("replica", replica)

db.close()
replica.close()
