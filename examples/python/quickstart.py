"""Capture what changed, look at it, apply it elsewhere, take it back."""

from users import open_users, print_users

db, replica = open_users(), open_users()

with db.capture("users") as change:
    db.execute("UPDATE users SET name = 'Countess' WHERE id = 1")
    db.execute("DELETE FROM users WHERE id = 2")

for op in change:
    print(op.kind, op.table, op.primary_key, op.old, op.new)

replica.apply(change)
print_users("replica", replica)

db.apply(~change)
print_users("undone", db)

db.close()
replica.close()
