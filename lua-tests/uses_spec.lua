local rowtide = require "rowtide"
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

describe("an undo log", function()
  after_each(helper.clean)

  local function name(db)
    return db:value "SELECT name FROM users WHERE id = 1"
  end

  local function rename(db, undo, to)
    return assert(undo:step("to " .. to, function()
      assert(db:execute("UPDATE users SET name = ? WHERE id = 1", { to }))
    end))
  end

  it("takes back and does again", function()
    local db = helper.database()
    local undo = assert(db:undo_log())
    assert.is_false(undo:undo())
    assert.is_false(undo:redo())
    rename(db, undo, "A")
    rename(db, undo, "B")
    assert.same({ 2, 0 }, { undo:counts() })
    assert.equal("to B", undo:undo())
    assert.equal("A", name(db))
    assert.equal("to A", undo:undo())
    assert.equal("Ann", name(db))
    assert.is_false(undo:undo())
    assert.equal("to A", undo:redo())
    local steps = undo:steps()
    assert.equal(2, #steps)
    assert.equal("to A", steps[1].label)
    assert.is_false(steps[1].undone)
    assert.is_true(steps[2].undone)
    rename(db, undo, "C")
    assert.is_false(undo:redo())
    assert.same({ 2, 0 }, { undo:counts() })
    assert(undo:clear())
    assert.same({}, undo:steps())
  end)

  it("gives an empty label for a step without one", function()
    local db = helper.database()
    local undo = assert(db:undo_log())
    assert.equal(1, undo:step(function() assert(db:exec "DELETE FROM orders") end))
    assert.equal(0, undo:step("nothing", function() end))
    assert.equal("", undo:undo())
  end)

  it("keeps so many steps, and outlives the connection", function()
    local path = helper.path ".db"
    local db = assert(rowtide.open(path))
    assert(db:exec(helper.SCHEMA .. helper.ROWS))
    local undo = assert(db:undo_log { limit = 2 })
    for i = 1, 4 do
      rename(db, undo, tostring(i))
    end
    assert.equal(2, #undo:steps())
    undo:close()
    db:close()
    db = assert(rowtide.open(path))
    undo = assert(db:undo_log { limit = 2 })
    assert.equal("to 4", undo:undo())
    assert.equal("3", name(db))
    db:close()
  end)

  it("undoes what a step did that raised", function()
    local db = helper.database()
    local undo = assert(db:undo_log())
    assert.has_error(function()
      undo:step("bad", function()
        assert(db:exec "DELETE FROM users")
        error "no"
      end)
    end)
    assert.equal("Ann", name(db))
    assert.same({}, undo:steps())
  end)

  it("asks about conflicts with changes around it", function()
    local db = helper.database()
    local undo = assert(db:undo_log())
    rename(db, undo, "A")
    assert(db:exec "UPDATE users SET name = 'outside' WHERE id = 1")
    local label, message, code = undo:undo()
    assert.is_nil(label)
    assert.is_string(message)
    assert.equal("conflict", code)
    local reason = {}
    assert.equal(reason, helper.raised(undo.undo, undo, { on_conflict = function()
      error(reason)
    end }))
    assert.equal("to A", undo:undo { on_conflict = "replace" })
    assert.equal("Ann", name(db))
  end)
end)

describe("replication", function()
  local directory, primary, source
  before_each(function()
    directory = helper.path ".d"
    source = helper.database()
    primary = assert(source:primary(directory))
  end)
  after_each(helper.clean)

  local function insert(id)
    return assert(primary:record({ "users" }, function()
      assert(source:execute("INSERT INTO users(id) VALUES(?)", { id }))
    end))
  end

  it("carries changes in order, once", function()
    assert.equal(0, primary:position())
    assert.equal(1, insert(20))
    assert.equal(2, insert(21))
    assert.equal(0, primary:record(nil, function() end))
    local copy = helper.database()
    local replica = assert(copy:replica(directory))
    assert.equal(1, replica:pull { limit = 1 })
    assert.equal(1, replica:position())
    assert.equal(1, replica:pull())
    assert.equal(0, replica:pull())
    assert.equal(helper.dump(source, "users"), helper.dump(copy, "users"))
    assert.equal(3, primary:append(helper.change()))
    assert.equal(0, primary:publish())
    assert.equal(1, replica:pull())
  end)

  it("says when a number is missing or a file damaged", function()
    insert(20)
    insert(21)
    local replica = assert(helper.database():replica(directory))
    local path = ("%s/%020d.changeset"):format(directory, 1)
    local bytes = helper.slurp(path)
    assert(os.remove(path))
    local pulled, message, code = replica:pull()
    assert.is_nil(pulled)
    assert.is_string(message)
    assert.equal("gap", code)
    helper.write(path, bytes:sub(1, -3))
    assert.equal("corrupt", select(3, replica:pull()))
    helper.write(path, bytes)
    assert.equal(2, replica:pull())
  end)

  it("asks about conflicts, and hands errors on", function()
    insert(20)
    local copy = helper.database "INSERT INTO users(id, name) VALUES(20, 'here')"
    local replica = assert(copy:replica(directory))
    assert.equal("conflict", select(3, replica:pull()))
    local reason = {}
    assert.equal(reason, helper.raised(replica.pull, replica, {
      on_conflict = function() error(reason) end,
    }))
    assert.equal(0, replica:position())
    assert.equal(1, replica:pull { on_conflict = { conflict = "replace" } })
  end)

  it("starts from a copy", function()
    insert(20)
    local replica = assert(helper.database "INSERT INTO users(id) VALUES(20)":replica(directory))
    assert.is_true(replica:set_position(1))
    assert.equal(0, replica:pull())
  end)

  it("refuses a second primary, and undoes a block that raised", function()
    local other, _, code = helper.database():primary(directory)
    assert.is_nil(other)
    assert.equal("exists", code)
    assert.has_error(function()
      primary:record(function()
        assert(source:exec "DELETE FROM users")
        error "no"
      end)
    end)
    assert.equal(0, primary:position())
    assert.equal(2, source:value "SELECT count(*) FROM users")
  end)
end)
