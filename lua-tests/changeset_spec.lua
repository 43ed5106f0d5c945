local rowtide = require "rowtide"
local helper = require "helper"

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
    local change = helper.captured(helper.database(), [[
      INSERT INTO users VALUES(9007199254740993, 'big', 3.0, x'');
      INSERT INTO users VALUES(-9223372036854775808, '', 1e300, NULL);
      UPDATE users SET score = -4.0, photo = 9007199254740995 WHERE id = 1;
      DELETE FROM users WHERE id = 2;
    ]])
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
