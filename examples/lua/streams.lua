-- Changesets in files and pipes, in bounded memory.

local rowtide = require "rowtide"

local function open_log()
  local db = assert(rowtide.open ":memory:")
  assert(db:exec "CREATE TABLE log(id INTEGER PRIMARY KEY, line TEXT)")
  return db
end

local path, undo_path = os.tmpname(), os.tmpname()
local db, copy = open_log(), open_log()

-- What is captured goes to a file as it is made.
assert(db:capture("log", function()
  assert(db:exec [[
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000)
    INSERT INTO log SELECT i, 'line ' || i FROM n
  ]])
end, { sink = rowtide.file(path) }))

-- A function that returns strings is a source.
local file = assert(io.open(path, "rb"))
assert(copy:apply(function()
  return file:read(4096)
end))
file:close()
assert(copy:value "SELECT count(*) FROM log" == 10000)

-- Iterating holds one chunk at a time, and works in coroutines.
local kinds = coroutine.wrap(function()
  for change in rowtide.stream.iterate(rowtide.file(path)) do
    coroutine.yield(change.kind)
  end
end)
local count = 0
for kind in kinds do
  assert(kind == "insert")
  count = count + 1
end
print(count .. " changes")

assert(rowtide.stream.invert(rowtide.file(path), rowtide.file(undo_path)))
assert(copy:apply(rowtide.file(undo_path)))
assert(copy:value "SELECT count(*) FROM log" == 0)

os.remove(path)
os.remove(undo_path)
