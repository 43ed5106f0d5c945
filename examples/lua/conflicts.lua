-- What to do when a change meets a row that is not as it was.

local rowtide = require "rowtide"

local function open_users(name)
  local db = assert(rowtide.open ":memory:")
  assert(db:exec "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)")
  assert(db:execute("INSERT INTO users VALUES(1, ?)", { name }))
  return db
end

local here, there = open_users "Ada", open_users "Ada"
local change = assert(here:capture("users", function()
  assert(here:exec "UPDATE users SET name = 'Countess'")
end))
assert(there:exec "UPDATE users SET name = 'Lovelace'")

-- Nothing said: any conflict aborts, and nothing is applied.
local report, message, code = there:apply(change)
print(message)
assert(report == nil and code == "conflict")
assert(there:value "SELECT name FROM users" == "Lovelace")

-- A rule for each kind.
report = assert(there:apply(change, { on_conflict = { data = "omit", not_found = "omit" } }))
assert(report.omitted == 1)

-- Or a function that looks at the row that is there.
report = assert(there:apply(change, {
  on_conflict = function(conflict)
    print(conflict.kind, conflict.change.new[2], "meets", conflict.conflicting[2])
    return conflict.kind == "data" and "replace" or "omit"
  end,
}))
print(report)
assert(report.tables.users.replaced == 1)
assert(there:value "SELECT name FROM users" == "Countess")
