"""Who changed what and when, kept in the same database."""

from users import open_users

db = open_users()
log = db.audit_log()

with log.entry(author="ada", label="birthday") as change:
    db.execute("UPDATE users SET age = age + 1 WHERE id = 1")

for entry in log.entries():
    print(entry.id, entry.author, entry.label)
for row in log.changes(table="users"):
    print(row.kind, row.primary_key, row.old, "->", row.new)

db.apply(~log.changeset(change.id))  # take it back
print("kept:", log.prune(keep=1) == 0)

db.close()
