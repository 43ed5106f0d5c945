-- Who changed what and when, in the same database.

local rowtide = require "rowtide"

local db = assert(rowtide.open ":memory:")
assert(db:exec "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)")
local log = assert(db:audit_log())

local import = assert(log:entry({ author = "ada", label = "import" }, function()
  assert(db:exec "INSERT INTO users VALUES(1, 'Ann'), (2, 'Bob')")
end))
assert(log:entry({ author = "eve", label = "rename", tables = { "users" } }, function()
  assert(db:exec "UPDATE users SET name = 'Zoe' WHERE id = 2")
end))

for entry in log:entries() do
  print(entry.id, entry.author, entry.label)
end
for change in log:changes { table = "users" } do
  print(change.author, change.kind, tostring(change.new_values))
end

-- An entry can be taken back, shipped, or looked at.
assert(#assert(log:changeset(import)) == 2)

-- A block that fails leaves neither change nor entry.
print(pcall(log.entry, log, { author = "mallory" }, function()
  assert(db:exec "DELETE FROM users")
  error("on second thought", 0)
end))
assert(db:value "SELECT count(*) FROM users" == 2)

assert(log:prune { keep = 1 } == 1)
