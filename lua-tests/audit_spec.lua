local helper = require "helper"

local function collect(...)
  local list = {}
  for row in ... do
    list[#list + 1] = row
  end
  return list
end

describe("an audit log", function()
  local db, log
  before_each(function()
    db = helper.database()
    log = assert(db:audit_log())
  end)

  local function rename(name, author)
    return assert(log:entry({ author = author, label = "rename" }, function()
      assert(db:execute("UPDATE users SET name = ? WHERE id = 1", { name }))
    end))
  end

  it("says who changed what", function()
    local id = rename("Ada", "eve")
    assert.equal(1, id)
    local entries = collect(log:entries())
    assert.equal(1, #entries)
    assert.equal("eve", entries[1].author)
    assert.equal("rename", entries[1].label)
    assert.is_truthy(entries[1].time:match "^%d%d%d%d%-%d%d%-%d%dT")
    assert.is_true(entries[1].bytes > 0)
    local changes = collect(log:changes { entry = id })
    assert.equal(1, #changes)
    assert.equal("users", changes[1].table_name)
    assert.equal("update", changes[1].kind)
    assert.is_truthy(changes[1].new_values:find("Ada", 1, true))
    assert.equal(0, #collect(log:changes { table = "orders" }))
  end)

  it("gives the changeset of an entry", function()
    local change = assert(log:changeset(rename "Ada"))
    assert(db:apply(-change))
    assert.equal("Ann", db:value "SELECT name FROM users WHERE id = 1")
    local none, _, code = log:changeset(99)
    assert.is_nil(none)
    assert.equal("not_found", code)
  end)

  it("logs nothing when nothing changed", function()
    assert.equal(0, log:entry(function() end))
    assert.equal(0, #collect(log:entries()))
  end)

  it("undoes what a block did that raised", function()
    local reason = { "no" }
    assert.equal(reason, helper.raised(log.entry, log, { label = "bad" }, function()
      assert(db:exec "DELETE FROM users")
      error(reason)
    end))
    assert.equal(2, db:value "SELECT count(*) FROM users")
    assert.equal(0, #collect(log:entries()))
    assert.is_false(db:in_transaction())
    rename "Ada"
  end)

  it("logs chosen tables, and what was captured elsewhere", function()
    assert(log:entry({ tables = { "orders" }, author = "x" }, function()
      assert(db:exec "UPDATE users SET name = 'no'; DELETE FROM orders WHERE id = 10")
    end))
    assert.equal(1, #collect(log:changes()))
    assert(log:entry({ filter = function(name)
      collectgarbage()
      return name == "users"
    end }, function()
      assert(db:exec "UPDATE users SET name = 'yes'; DELETE FROM orders")
    end))
    assert.equal(2, #collect(log:changes { table = "users" }))
    assert.equal(3, log:append(helper.change(), { author = "far" }))
  end)

  it("prunes", function()
    for i = 1, 5 do
      rename("n" .. i)
    end
    assert.equal(3, log:prune { keep = 2 })
    assert.equal(2, #collect(log:entries()))
    assert.equal(0, log:prune { before = "2000-01-01" })
    assert.equal(2, log:prune { before = "9999-01-01" })
    assert.has_error(function() log:prune {} end)
  end)
end)
