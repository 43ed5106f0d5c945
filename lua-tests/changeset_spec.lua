local rowtide = require "rowtide"
local helper = require "helper"

describe("capturing", function()
  local db
  before_each(function()
    db = helper.database()
  end)

  it("records what a function does", function()
    local change = assert(db:capture({ "users" }, function()
      assert(db:exec "UPDATE users SET name = 'Ada' WHERE id = 1")
      assert(db:exec "DELETE FROM orders")
    end))
    assert.equal(1, #change)
    assert.equal("rowtide.Changeset(1 table, 1 change)", tostring(change))
  end)

  it("takes one name, no names, and options", function()
    assert.equal(1, helper.captured(db, "DELETE FROM users WHERE id = 1", "users"):count())
    assert.equal(1, #assert(db:capture(function()
      assert(db:exec "DELETE FROM orders WHERE id = 10")
    end)))
    local patch = helper.captured(db, "UPDATE users SET name = 'x'", nil, { patchset = true })
    assert.is_true(patch:is_patchset())
    assert.equal("rowtide.Patchset(1 table, 1 change)", tostring(patch))
  end)

  it("is empty when nothing happened", function()
    local change = helper.captured(db, "SELECT 1")
    assert.equal(0, #change)
    assert.is_true(change:is_empty())
    assert.equal("", change:bytes())
    assert.is_true(helper.captured(db, "BEGIN; DELETE FROM users; ROLLBACK"):is_empty())
  end)

  it("hands the error of the function on, as it is, and ends", function()
    local reason = { code = 42 }
    assert.equal(reason, helper.raised(db.capture, db, nil, function(capture)
      assert.is_true(capture:is_open())
      error(reason)
    end))
    assert.equal(1, #helper.captured(db, "DELETE FROM users WHERE id = 1"))
  end)

  it("refuses tables that cannot be recorded", function()
    assert(db:exec "CREATE TABLE keyless(a); CREATE VIEW seen AS SELECT 1 AS one")
    for _, name in ipairs { "nowhere", "keyless", "seen" } do
      local change, message, code = db:capture({ name }, function() end)
      assert.is_nil(change)
      assert.is_truthy(message:find(name, 1, true))
      assert.equal("schema", code)
    end
  end)

  it("lists what a capture of all tables leaves out", function()
    assert(db:exec "CREATE TABLE keyless(a)")
    local capture = assert(db:begin_capture())
    local skipped = capture:skipped()
    assert.equal(1, #skipped)
    assert.equal("keyless", skipped[1].table)
    assert.is_string(skipped[1].reason)
    capture:close()
  end)

  it("asks a filter", function()
    local asked = {}
    local change = helper.captured(db, "DELETE FROM orders; DELETE FROM users", nil, {
      filter = function(name)
        asked[name] = true
        collectgarbage()
        return name == "users"
      end,
    })
    assert.same({ "users" }, change:table_names())
    assert.is_true(asked.orders)
  end)

  it("hands on what a filter raises", function()
    local reason = { "filter" }
    assert.equal(reason, helper.raised(db.capture, db, nil, function()
      db:exec "DELETE FROM orders"
    end, { filter = function() error(reason) end }))
  end)

  it("can be steered", function()
    local capture = assert(db:begin_capture { tables = "users", measure = true })
    assert.is_true(capture:is_open())
    assert.is_true(capture:is_empty())
    assert.equal("rowtide.Capture(empty)", tostring(capture))
    assert(db:exec "INSERT INTO users(id) VALUES(20)")
    assert(capture:pause())
    assert(db:exec "INSERT INTO users(id) VALUES(21)")
    assert(capture:resume())
    assert(capture:indirect())
    assert(db:exec "INSERT INTO users(id) VALUES(22)")
    assert(capture:indirect(false))
    assert.equal("rowtide.Capture(recording)", tostring(capture))
    assert.is_true(capture:memory_used() > 0)
    local so_far = assert(capture:peek())
    assert.equal(2, #so_far)
    assert.is_true(capture:size() >= so_far:size())
    local change = assert(capture:finish())
    assert.equal(so_far, change)
    assert.equal(1, change:tables().users.indirect)
    assert.is_false(capture:is_open())
    assert.is_nil((capture:finish()))
    assert.equal("rowtide.Capture(ended)", tostring(capture))
  end)

  it("can be cancelled, nested and side by side", function()
    local outer, inner = assert(db:begin_capture()), assert(db:begin_capture())
    assert(db:exec "DELETE FROM orders WHERE id = 10")
    assert.is_true(inner:cancel())
    assert.is_nil((inner:finish()))
    assert.equal(1, #assert(outer:finish()))
    assert.equal("misuse", select(3, assert(db:begin_capture()):size()))
  end)

  it("keeps within a memory limit", function()
    local change, _, code = db:capture(nil, function()
      assert(db:exec [[
        WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 2000)
        INSERT INTO users SELECT i, printf('%200s', i), 0, NULL FROM n]])
    end, { memory_limit = 1000 })
    assert.is_nil(change)
    assert.equal("too_big", code)
  end)
end)

describe("a changeset", function()
  it("gives its changes", function()
    local seen = {}
    for change in helper.change():changes() do
      seen[change.table .. " " .. change.kind] = change
    end
    local update = seen["users update"]
    assert.equal(4, update.n)
    assert.same({ 1 }, update.primary_key)
    assert.is_false(update.indirect)
    assert.equal(1, update.old[1])
    assert.equal("Ann", update.old[2])
    assert.equal("Ada", update.new[2])
    assert.is_nil(update.new[1])
    assert.is_nil(update.old[3])
    local insert = seen["users insert"]
    assert.is_nil(insert.old)
    assert.equal(0.25, insert.new[3])
    assert.equal("blob", rowtide.type(insert.new[4]))
    assert.equal("\0\255", insert.new[4]:bytes())
    assert.equal(rowtide.blob "\0\255", insert.new[4])
    local delete = seen["orders delete"]
    assert.is_nil(delete.new)
    assert.equal("milk", delete.old[3])
  end)

  it("tells NULL from a column that did not change", function()
    local change = helper.captured(helper.database(), "UPDATE users SET name = NULL WHERE id = 1")
    local update = change:changes()(select(2, change:changes()))
    assert.equal(rowtide.null, update.new[2])
    assert.is_nil(update.new[3])
  end)

  it("gives its inverse while iterating", function()
    for change in helper.captured(helper.database(), "DELETE FROM orders"):changes {
      invert = true,
    } do
      assert.equal("insert", change.kind)
    end
  end)

  it("iterates inside coroutines", function()
    local next_change = coroutine.wrap(function()
      for change in helper.change():changes() do
        collectgarbage()
        coroutine.yield(change.kind)
      end
    end)
    local kinds = { next_change(), next_change(), next_change() }
    table.sort(kinds)
    assert.same({ "delete", "insert", "update" }, kinds)
    assert.is_nil(next_change())
  end)

  it("counts", function()
    local change = helper.change()
    assert.equal(3, #change)
    assert.equal(3, change:count())
    assert.equal(#change:bytes(), change:size())
    assert.same({ inserts = 1, updates = 1, deletes = 0, indirect = 0 }, change:tables().users)
    table.sort(change:table_names())
    assert.equal(2, #change:table_names())
  end)

  it("is a value", function()
    local change = helper.change()
    local copy = assert(rowtide.changeset(change:bytes()))
    assert.equal(change, copy)
    assert.is_true(change == copy)
    assert.is_false(change == -change)
    assert.is_false(change == 1)
    assert.equal(change, - -change)
    assert.equal(-change, change:invert())
    assert.is_true((change .. -change):is_empty())
    assert.equal(change, rowtide.concat { change })
    assert.equal(change, change:concat(rowtide.changeset ""))
    assert.is_true(rowtide.concat({}):is_empty())
  end)

  it("filters by names and by a function", function()
    local change = helper.change()
    assert.same({ "users" }, change:filter({ "USERS" }):table_names())
    assert.same({ "orders" }, change:filter(function(name)
      return name == "orders"
    end):table_names())
    local reason = {}
    assert.equal(reason, helper.raised(change.filter, change, function() error(reason) end))
  end)

  it("raises from operators what methods return", function()
    local patch = helper.captured(helper.database(), "DELETE FROM users", nil,
      { patchset = true })
    local inverse, message, code = patch:invert()
    assert.is_nil(inverse)
    assert.is_string(message)
    assert.is_string(code)
    assert.has_error(function() return -patch end)
    assert.has_error(function() return patch .. helper.change() end)
    assert.has_error(function() return patch .. "text" end)
  end)

  it("closes, and then says so", function()
    local change = helper.change()
    assert.is_true(change:close())
    assert.is_true(change:close())
    assert.equal("rowtide.Changeset(closed)", tostring(change))
    local bytes, _, code = change:bytes()
    assert.is_nil(bytes)
    assert.equal("closed", code)
    assert.equal("closed", select(3, change:invert()))
    assert.equal("closed", select(3, change:tables()))
    assert.equal("closed", select(3, helper.database():apply(change)))
    assert.has_error(function() return #change end)
    assert.has_error(function() for _ in change:changes() do end end)
  end)
end)

describe("a builder", function()
  it("puts a changeset together", function()
    local builder = assert(rowtide.builder())
    assert(builder:insert("users", { 1 }, { 9, "Zoe", 0.5, rowtide.blob "\1" }))
    assert(builder:update("users", { 1 }, { 1, "Ann", n = 4 }, { [2] = "Ada", n = 4 }))
    assert(builder:delete("orders", { 1 }, { 10, 1, "tea" }))
    local change = assert(builder:finish())
    assert.equal(3, #change)
    local db = helper.database()
    assert.equal(3, assert(db:apply(change)).applied)
    assert.equal("Zoe", db:value "SELECT name FROM users WHERE id = 9")
    assert.equal("blob", db:value "SELECT typeof(photo) FROM users WHERE id = 9")
    assert.equal("Ada", db:value "SELECT name FROM users WHERE id = 1")
    assert.is_true(assert(builder:finish()):is_empty())
  end)

  it("takes changes from an iterator", function()
    local change = helper.change()
    local builder = assert(rowtide.builder())
    for op in change:changes() do
      assert(builder:add(op))
    end
    assert.equal(change, assert(builder:finish()))
  end)

  it("refuses rows that make no sense", function()
    local builder = assert(rowtide.builder())
    local function refused(ok, message, code)
      assert.is_nil(ok)
      assert.is_string(message)
      assert.equal("invalid", code)
    end
    refused(builder:insert("t", { 1 }, { 1, nil, 3, n = 3 }))
    refused(builder:insert("t", {}, { 1, 2 }))
    refused(builder:insert("", { 1 }, { 1, 2 }))
    refused(builder:insert("t", { 1 }, { rowtide.null, 2 }))
    assert.has_error(function() builder:insert("t", { 7 }, { 1, 2 }) end)
    assert.has_error(function() builder:insert("t", { 1 }, { print }) end)
    assert.has_error(function() builder:add { table = "t", kind = "x", primary_key = { 1 } } end)
    builder:close()
    assert.equal("closed", select(3, builder:finish()))
  end)
end)
