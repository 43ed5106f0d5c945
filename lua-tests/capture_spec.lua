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

describe("differences", function()
  after_each(helper.clean)

  local function file(sql)
    local path = helper.path ".db"
    local db = assert(rowtide.open(path))
    assert(db:exec(helper.SCHEMA .. helper.ROWS .. sql))
    db:close()
    return path
  end

  it("are found between files", function()
    local from, to = file "", file "UPDATE users SET name = 'Ada' WHERE id = 1"
    local change = assert(rowtide.diff(from, to))
    assert.equal(1, #change)
    local db = assert(rowtide.open(from))
    assert(db:apply(change))
    db:close()
    assert.is_true(assert(rowtide.diff(from, to)):is_empty())
    assert.is_true(assert(rowtide.diff(to, file "DELETE FROM orders",
      { tables = "users" })):count() == 1)
    assert.is_nil((rowtide.diff(from, "/no/such/file")))
  end)

  it("are found between schemas of one connection", function()
    local db = assert(rowtide.open(file ""))
    assert(db:execute("ATTACH ? AS other", { file "DELETE FROM orders" }))
    assert.equal(2, #assert(db:diff("main", "other")))
    local writer, written = helper.writer()
    assert(db:diff("main", "other", { sink = writer, tables = { "orders" } }))
    assert.equal(2, #assert(rowtide.changeset(written())))
    local change, _, code = db:diff("main", "nowhere")
    assert.is_nil(change)
    assert.is_string(code)
    db:close()
  end)
end)
