"""Undo and redo, step by step."""

from users import open_users, print_users

db = open_users()
undo = db.undo_log(limit=100)

with undo.step("rename"):
    db.execute("UPDATE users SET name = 'Countess' WHERE id = 1")
with undo.step("retire"):
    db.execute("DELETE FROM users WHERE id = 2")

print("undone:", undo.undo())
print("undone:", undo.undo())
print_users("now", db)
print("redone:", undo.redo())
print_users("now", db)
for step in undo.steps():
    print(step.label, "can be redone" if step.undone else "can be undone")

db.close()
