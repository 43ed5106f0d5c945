-- Two databases that were apart, and come together again.

local rowtide = require "rowtide"

local function open_notes()
  local db = assert(rowtide.open ":memory:")
  assert(db:exec "CREATE TABLE notes(id TEXT PRIMARY KEY NOT NULL, title TEXT, done INTEGER)")
  local crdt = assert(db:crdt())
  assert(crdt:enable "notes")
  return db, crdt
end

local phone, phone_crdt = open_notes()
local laptop, laptop_crdt = open_notes()

assert(phone:exec "INSERT INTO notes VALUES('a', 'milk', 0), ('b', 'call Eve', 0)")
assert(rowtide.sync(phone, laptop))

-- Offline, both change the same row, and one deletes the other.
assert(phone:exec "UPDATE notes SET done = 1 WHERE id = 'a'")
assert(laptop:exec "UPDATE notes SET title = 'oat milk' WHERE id = 'a'")
assert(laptop:exec "DELETE FROM notes WHERE id = 'b'")
assert(rowtide.sync(phone, laptop))

for _, db in ipairs { phone, laptop } do
  for row in db:rows "SELECT * FROM notes" do
    print(row.id, row.title, row.done)
    assert(row.title == "oat milk" and row.done == 1)
  end
end

-- The same through a wire: bytes from one side, merged on the other.
assert(phone:exec "INSERT INTO notes VALUES('c', 'bread', 0)")
local site = phone_crdt:site_id()
local bytes = assert(phone_crdt:payload { since = laptop_crdt:peer_version(site) })
local report = assert(laptop_crdt:merge(bytes))
print(report)
assert(report.applied == 2 and report.tables.notes.ignored == 0)

-- Or change by change.
assert(phone:exec "UPDATE notes SET done = 1 WHERE id = 'c'")
for change in phone_crdt:pull { since = laptop_crdt:peer_version(site) } do
  print(change.table, change.column, change.value)
end
assert(laptop_crdt:merge(phone_crdt:pull()))
assert(laptop:value "SELECT done FROM notes WHERE id = 'c'" == 1)
