local rowtide = require "rowtide"
local helper = require "helper"

local stream = rowtide.stream

describe("a stream", function()
  local change, bytes
  before_each(function()
    change = helper.change()
    bytes = change:bytes()
  end)
  after_each(helper.clean)

  -- Every form of a source, with the same bytes.
  local function sources()
    local path = helper.path ".changeset"
    helper.write(path, bytes)
    return {
      change, helper.reader(bytes, 1), helper.reader(bytes, 7), helper.reader(bytes, 1e6),
      rowtide.file(path), assert(io.open(path, "rb")),
    }
  end

  it("is read from changesets, functions and files", function()
    for _, source in ipairs(sources()) do
      assert.equal(change, assert(rowtide.read(source)))
    end
    for _, source in ipairs(sources()) do
      local count = 0
      for op in stream.iterate(source) do
        collectgarbage()
        assert.is_string(op.table)
        count = count + 1
      end
      assert.equal(3, count)
    end
    for _, source in ipairs(sources()) do
      assert.equal(3, assert(helper.database():apply(source)).applied)
    end
  end)

  it("is written to functions and files", function()
    local path = helper.path ".changeset"
    assert(stream.invert(change, rowtide.file(path)))
    assert.equal((-change):bytes(), helper.slurp(path))
    local file = assert(io.open(path, "wb"))
    assert(stream.invert(change, file))
    file:close()
    assert.equal((-change):bytes(), helper.slurp(path))
    local writer, written = helper.writer()
    assert(stream.invert(change, writer))
    assert.equal((-change):bytes(), written())
  end)

  it("computes as changesets do", function()
    local writer, written = helper.writer()
    assert(stream.concat({ change, helper.reader(bytes, 5), -change }, writer))
    assert.equal(rowtide.concat { change, change, -change }, rowtide.changeset(written()))
    writer, written = helper.writer()
    assert(stream.filter(helper.reader(bytes, 3), { "users" }, writer))
    assert.equal(change:filter { "users" }, rowtide.changeset(written()))
    local report = assert(helper.database "UPDATE users SET name = 'x'":apply(change,
      { on_conflict = "omit" }))
    writer, written = helper.writer()
    assert(stream.rebase(change, report, writer))
    assert.equal(change:rebase(report), rowtide.changeset(written()))
  end)

  it("takes a capture", function()
    local db = helper.database()
    local writer, written = helper.writer()
    assert.is_true(db:capture("users", function()
      assert(db:exec "DELETE FROM users WHERE id = 1")
    end, { sink = writer }))
    assert.equal(1, #assert(rowtide.changeset(written())))
  end)

  it("keeps files by name", function()
    local path = helper.path ".changeset"
    assert.is_true(change:write(path))
    assert.equal(bytes, helper.slurp(path))
    assert.equal(change, assert(rowtide.read(path)))
    local missing, message, code = rowtide.read(path .. ".no")
    assert.is_nil(missing)
    assert.is_truthy(message:find(path, 1, true))
    assert.is_string(code)
    assert.is_nil((change:write "/no/such/dir/x"))
  end)

  it("hands on what readers and writers raise", function()
    local reason = { "reader" }
    local function broken()
      error(reason)
    end
    local db = helper.database()
    local before = helper.dump(db, "users")
    assert.equal(reason, helper.raised(rowtide.read, broken))
    assert.equal(reason, helper.raised(db.apply, db, broken))
    assert.equal(reason, helper.raised(stream.invert, broken, print))
    assert.equal(reason, helper.raised(stream.invert, change, broken))
    assert.equal(reason, helper.raised(function()
      for _ in stream.iterate(broken) do end
    end))
    local at = 0
    assert.equal(reason, helper.raised(db.apply, db, function()
      at = at + 1
      if at == 10 then
        error(reason)
      end
      return bytes:sub(at, at)
    end))
    assert.equal(before, helper.dump(db, "users"))
    assert.is_false(db:in_transaction())
  end)

  it("refuses readers that give no strings", function()
    for _, piece in ipairs { 1, true, {} } do
      local err = helper.raised(rowtide.read, function() return piece end)
      assert.is_truthy(err:find("reader", 1, true))
    end
  end)

  it("stops at a writer that says so", function()
    assert.is_false(pcall(stream.invert, change, function() return false end))
    local ok, err = pcall(stream.invert, change, function() return nil, "disk full" end)
    assert.is_false(ok)
    assert.equal("disk full", err)
  end)

  it("cannot yield, and says so", function()
    local ok, err = coroutine.resume(coroutine.create(function()
      return rowtide.read(function() coroutine.yield() end)
    end))
    assert.is_false(ok)
    assert.is_truthy(err:find("cannot yield", 1, true))
  end)

  it("leaves no file behind that is not complete", function()
    local path = helper.path ".changeset"
    helper.write(path, "as it was")
    local ok, _, code = stream.invert(helper.reader(bytes:sub(1, -2), 5), rowtide.file(path))
    assert.is_nil(ok)
    assert.equal("corrupt", code)
    assert.equal("as it was", helper.slurp(path))
  end)
end)
