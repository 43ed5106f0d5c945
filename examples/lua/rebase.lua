-- Two people change the same row; both databases end up the same.

local rowtide = require "rowtide"

local function open_notes()
  local db = assert(rowtide.open ":memory:")
  assert(db:exec [[
    CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT);
    INSERT INTO notes VALUES(1, 'draft');
  ]])
  return db
end

local function write(db, body)
  return assert(db:capture("notes", function()
    assert(db:execute("UPDATE notes SET body = ? WHERE id = 1", { body }))
  end))
end

local mine, server = open_notes(), open_notes()
local local_work = write(mine, "mine")
local remote_work = write(server, "theirs")

-- Remote work arrives; mine wins here.
local report = assert(mine:apply(remote_work, { on_conflict = "omit" }))

-- My work, as if I had made it after seeing theirs.
local rebased = assert(local_work:rebase(report))
assert(server:apply(rebased))

assert(mine:value "SELECT body FROM notes" == "mine")
assert(server:value "SELECT body FROM notes" == "mine")
print "both say \"mine\""
