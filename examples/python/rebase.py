"""Two databases changed the same row; rebase makes them agree."""

from users import open_users, print_users

server, laptop = open_users(), open_users()

with server.capture() as remote:
    server.execute("UPDATE users SET name = 'from the server'")
with laptop.capture() as local:
    laptop.execute("UPDATE users SET name = 'from the laptop' WHERE id = 1")

report = laptop.apply(remote, on_conflict={"data": "omit"})  # mine wins
server.apply(local.rebase(report))

print_users("laptop", laptop)
print_users("server", server)

laptop.close()
server.close()
