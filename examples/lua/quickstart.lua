-- Capture what changed, look at it, apply it elsewhere, take it back.

local rowtide = require "rowtide"

local function open_users()
  local db = assert(rowtide.open ":memory:")
  assert(db:exec [[
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
    INSERT INTO users VALUES(1, 'Ada'), (2, 'Bob');
  ]])
  return db
end

local db, replica = open_users(), open_users()

local change = assert(db:capture({ "users" }, function()
  assert(db:execute("UPDATE users SET name = :name WHERE id = :id", { name = "Countess", id = 1 }))
  assert(db:exec "DELETE FROM users WHERE id = 2")
end))
print(change) --> rowtide.Changeset(1 table, 2 changes)

for op in change:changes() do
  print(op.kind, op.table, op.old and op.old[2], op.new and op.new[2])
end
io.write(assert(change:to_text { names = db }))

print(assert(replica:apply(change)))
assert(replica:value "SELECT name FROM users WHERE id = 1" == "Countess")

assert(db:apply(-change)) -- undo
assert(db:value "SELECT name FROM users WHERE id = 1" == "Ada")
assert(db:value "SELECT count(*) FROM users" == 2)
