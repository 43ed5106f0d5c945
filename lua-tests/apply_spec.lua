local rowtide = require "rowtide"
local helper = require "helper"

-- Each kind of conflict: what was captured, and what the replica had before.
local CONFLICTS = {
  data = { "UPDATE users SET name = 'Ada' WHERE id = 1", "UPDATE users SET name = 'Eve'" },
  not_found = { "DELETE FROM orders WHERE id = 10", "DELETE FROM orders WHERE id = 10" },
  conflict = { "INSERT INTO users(id, name) VALUES(7, 'Gus')",
    "INSERT INTO users(id, name) VALUES(7, 'Hal')" },
  constraint = { "INSERT INTO users(id, name) VALUES(7, 'Gus')",
    "CREATE UNIQUE INDEX one_name ON users(name); INSERT INTO users(name) VALUES('Gus')" },
  foreign_key = { "INSERT INTO orders VALUES(12, 1, 'rum')",
    "PRAGMA foreign_keys = ON; DELETE FROM orders WHERE user = 1; DELETE FROM users WHERE id = 1" },
}

-- What may be replaced.
local REPLACEABLE = { data = true, conflict = true }

local function conflict(kind)
  local change = helper.captured(helper.database(), CONFLICTS[kind][1])
  return change, helper.database(CONFLICTS[kind][2])
end

local function state(db)
  return helper.dump(db, "users") .. "\n" .. helper.dump(db, "orders")
end

describe("applying", function()
  it("does what was captured", function()
    local change, db = helper.change(), helper.database()
    local report = assert(db:apply(change))
    assert.equal(3, report.applied)
    assert.equal(0, report.omitted)
    assert.equal(2, report.tables.users.applied)
    assert.equal(1, report.tables.orders.applied)
    assert.equal("rowtide.Report(3 applied, 0 omitted, 0 replaced, 0 skipped)",
      tostring(report))
    assert.equal("Ada", db:value "SELECT name FROM users WHERE id = 1")
    assert.is_true(assert(db:apply(-change)).applied == 3)
    assert.equal(state(helper.database()), state(db))
  end)

  it("aborts on a conflict if nothing is said", function()
    for kind in pairs(CONFLICTS) do
      local change, db = conflict(kind)
      local before = state(db)
      local report, message, code = db:apply(change)
      assert.is_nil(report)
      assert.is_string(message)
      assert.equal("conflict", code)
      assert.equal(before, state(db))
      assert.is_false(db:in_transaction())
    end
  end)

  for kind in pairs(CONFLICTS) do
    for _, action in ipairs { "omit", "replace", "abort" } do
      it(("answers %s with %s"):format(kind, action), function()
        for _, how in ipairs {
          { [kind] = action },
          function(c)
            assert.equal(kind, c.kind)
            return action
          end,
        } do
          local change, db = conflict(kind)
          local before = state(db)
          local report, message, code = db:apply(change, { on_conflict = how })
          if action == "abort" then
            assert.equal("conflict", code)
          elseif action == "replace" and not REPLACEABLE[kind] then
            assert.equal("invalid", code)
          elseif action == "replace" then
            assert.equal(1, assert(report, message).replaced)
            assert.equal(1, report.tables.users.replaced)
          elseif kind ~= "foreign_key" then
            assert.equal(1, assert(report, message).omitted)
          end
          local done = report and (action == "replace" or kind == "foreign_key")
          assert.equal(not done, before == state(db))
        end
      end)
    end
  end

  it("tells the handler what it needs to decide", function()
    local change, db = conflict "data"
    local seen
    assert(db:apply(change, { on_conflict = function(c)
      seen = c
      return "omit"
    end }))
    assert.equal("users", seen.table)
    assert.equal("update", seen.change.kind)
    assert.equal("Ada", seen.change.new[2])
    assert.equal("Eve", seen.conflicting[2])
    assert.is_string(seen.message)
    change, db = conflict "foreign_key"
    assert(db:apply(change, { on_conflict = function(c)
      seen = c
      return "omit"
    end }))
    assert.equal(1, seen.foreign_key_count)
    assert.is_nil(seen.change)
  end)

  it("takes a policy by name", function()
    local change, db = conflict "data"
    assert.equal(1, assert(db:apply(change, { on_conflict = "replace" })).replaced)
    assert.equal("Ada", db:value "SELECT name FROM users WHERE id = 1")
    change, db = conflict "not_found"
    assert.equal(1, assert(db:apply(change, { on_conflict = "replace" })).omitted)
    assert.equal(1, assert(db:apply(change, { on_conflict = "omit" })).omitted)
    assert.equal("conflict", select(3, db:apply(change, { on_conflict = "abort" })))
  end)

  it("chooses tables and changes", function()
    local change, db = helper.change(), helper.database()
    local report = assert(db:apply(change, { tables = { "orders" } }))
    assert.equal(1, report.applied)
    assert.equal(2, report.skipped)
    db = helper.database()
    assert.equal(2, assert(db:apply(change, { filter = function(name)
      return name == "users"
    end })).applied)
    db = helper.database()
    assert.equal(1, assert(db:apply(change, { change_filter = function(c)
      return c.kind == "insert"
    end })).applied)
  end)

  it("inverts and ignores what is there already", function()
    local change, db = helper.change(), helper.database()
    assert(db:apply(change))
    assert(db:apply(change, { ignore_noop = true }))
    assert(db:apply(change, { invert = true }))
    assert.equal(state(helper.database()), state(db))
  end)

  it("refuses a schema that does not fit, unless told to skip", function()
    local db = assert(rowtide.open ":memory:")
    assert(db:exec "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB)")
    local change = helper.captured(helper.database(),
      "INSERT INTO users(id) VALUES(3); DELETE FROM orders WHERE id = 10")
    local report, message, code = db:apply(change)
    assert.is_nil(report)
    assert.is_truthy(message:find("orders", 1, true))
    assert.equal("schema", code)
    assert.equal(0, db:value "SELECT count(*) FROM users")
    report = assert(db:apply(change, { skip_misfits = true }))
    assert.equal(1, report.applied)
    assert.equal(1, report.tables.orders.skipped)
    assert.is_string(report.tables.orders.skip_reason)
  end)

  it("leaves the caller's transaction as it was", function()
    local change, db = conflict "data"
    assert(db:exec "BEGIN; INSERT INTO users(id) VALUES(50)")
    assert.is_nil((db:apply(change)))
    assert.is_true(db:in_transaction())
    assert.equal(1, db:value "SELECT count(*) FROM users WHERE id = 50")
    assert(db:exec "ROLLBACK")
  end)

  it("rebases local work onto what was applied", function()
    local here, there = helper.database(), helper.database()
    local mine = helper.captured(here, "UPDATE users SET name = 'Mine' WHERE id = 1")
    local theirs = helper.captured(there, "UPDATE users SET name = 'Theirs' WHERE id = 1")
    local report = assert(here:apply(theirs, { on_conflict = "omit" }))
    local rebased = assert(mine:rebase(report))
    assert(there:apply(rebased))
    assert.equal("Mine", there:value "SELECT name FROM users WHERE id = 1")
    assert.equal(rebased, mine:rebase(report.rebase))
  end)
end)

describe("a callback", function()
  local change, db, before
  before_each(function()
    change, db = conflict "data"
    before = state(db)
  end)

  local function untouched()
    assert.equal(before, state(db))
    assert.is_false(db:in_transaction())
    assert(db:apply(change, { on_conflict = "omit" }))
  end

  it("hands any error on as it is", function()
    for _, reason in ipairs { { "a table" }, "a string", 42, false, print } do
      for _, name in ipairs { "on_conflict", "filter", "change_filter" } do
        local err = helper.raised(db.apply, db, change, { [name] = function()
          error(reason, 0)
        end })
        assert.equal(reason, err)
        untouched()
      end
    end
  end)

  it("may raise nil", function()
    local ok, err = pcall(db.apply, db, change, { on_conflict = function() error(nil) end })
    assert.is_false(ok)
    assert.is_true(err == nil or type(err) == "string")
    untouched()
  end)

  it("must answer with an action", function()
    for _, answer in ipairs { "omitt", "", 1, true, {} } do
      local err = helper.raised(db.apply, db, change, { on_conflict = function()
        return answer
      end })
      assert.is_truthy(err:find("on_conflict", 1, true))
      assert.is_truthy(err:find("\"omit\"", 1, true))
      untouched()
    end
    assert.is_truthy(helper.raised(db.apply, db, change, { on_conflict = function() end })
      :find("on_conflict", 1, true))
  end)

  it("cannot yield, and is told so", function()
    local thread = coroutine.create(function()
      return db:apply(change, { on_conflict = function()
        coroutine.yield()
        return "omit"
      end })
    end)
    local ok, err = coroutine.resume(thread)
    assert.is_false(ok)
    assert.is_truthy(err:find("cannot yield", 1, true))
    untouched()
  end)

  it("runs in the coroutine of the call", function()
    local outer, inner
    local thread = coroutine.create(function()
      outer = coroutine.running()
      return db:apply(change, { on_conflict = function()
        inner = coroutine.running()
        return "omit"
      end })
    end)
    local ok, report = coroutine.resume(thread)
    assert.is_true(ok)
    assert.equal(1, report.omitted)
    assert.equal(outer, inner)
  end)

  it("may use the connection, and coroutines of its own", function()
    local report = assert(db:apply(change, { on_conflict = function()
      local names = {}
      local walk = coroutine.wrap(function()
        for row in db:rows "SELECT name FROM users" do
          coroutine.yield(row.name)
        end
      end)
      for name in walk do
        names[#names + 1] = name
      end
      assert.equal(2, #names)
      assert.is_false(pcall(helper.database().apply, db, change, {
        on_conflict = function() error "inner" end,
      }))
      collectgarbage()
      return "omit"
    end }))
    assert.equal(1, report.omitted)
  end)

  it("cannot close what the call works on", function()
    local report = assert(db:apply(change, { on_conflict = function()
      local ok, message, code = db:close()
      assert.is_nil(ok)
      assert.is_string(message)
      assert.equal("misuse", code)
      assert.equal("misuse", select(3, change:close()))
      return "omit"
    end }))
    assert.equal(1, report.omitted)
    assert.is_true(db:is_open())
    untouched()
  end)

  it("may interrupt the call", function()
    local report, message, code = db:apply(change, { on_conflict = function()
      assert(db:interrupt())
      return "omit"
    end })
    assert.is_nil(report)
    assert.is_string(message)
    assert.equal("cancelled", code)
    untouched()
  end)

  it("cancels through progress", function()
    local asked = 0
    local report, _, code = db:apply(change, { on_conflict = "omit", progress = function(p)
      asked = asked + 1
      assert.is_string(p.phase)
      assert.is_number(p.done)
      return false
    end })
    if asked > 0 then
      assert.is_nil(report)
      assert.equal("cancelled", code)
    end
    untouched()
  end)
end)
