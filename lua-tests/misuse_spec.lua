local rowtide = require "rowtide"
local helper = require "helper"

-- Wrong use is raised, and points at this file.
local function refused(fn, ...)
  local err = helper.raised(fn, ...)
  assert.is_string(err)
  assert.is_truthy(err:find("misuse_spec.lua:", 1, true), err)
  assert.is_nil(err:lower():find("swig", 1, true))
  return err
end

describe("wrong use", function()
  local db, change
  before_each(function()
    db, change = helper.database(), helper.change()
  end)

  it("of arguments is raised where it is written", function()
    refused(function() local x = rowtide.open() return x end)
    refused(function() local x = rowtide.open {} return x end)
    refused(function() local x = rowtide.changeset(nil) return x end)
    refused(function() local x = rowtide.changeset {} return x end)
    refused(function() local x = rowtide.read(42) return x end)
    refused(function() local x = rowtide.concat { change, 1 } return x end)
    refused(function() local x = rowtide.concat(change) return x end)
    refused(function() local x = rowtide.from_json {} return x end)
    refused(function() local x = rowtide.blob(1) return x end)
    refused(function() local x = rowtide.integer "1.5" return x end)
    refused(function() local x = rowtide.diff("a") return x end)
    refused(function() local x = rowtide.adopt "pointer" return x end)
    refused(function() local x = db:exec() return x end)
    refused(function() local x = db:exec(42) return x end)
    refused(function() local x = db:execute("SELECT ?", 1) return x end)
    refused(function() local x = db:rows() return x end)
    refused(function() local x = db:transaction() return x end)
    refused(function() local x = db:transaction(print, "sometimes") return x end)
    refused(function() local x = db:capture({ "users" }) return x end)
    refused(function() local x = db:capture({ 1 }, print) return x end)
    refused(function() local x = db:apply() return x end)
    refused(function() local x = db:apply(change:bytes()) return x end)
    refused(function() local x = db:apply(db) return x end)
    refused(function() local x = change:concat(db) return x end)
    refused(function() local x = change:filter() return x end)
    refused(function() local x = change:rebase() return x end)
    refused(function() local x = change .. 1 return x end)
    refused(function() local x = rowtide.stream.invert(change) return x end)
    refused(function() local x = rowtide.stream.invert(change, "path") return x end)
    refused(function() local x = db:primary() return x end)
  end)

  it("of rows is raised as well", function()
    local builder = assert(rowtide.builder())
    refused(function() local x = builder:insert("t", { 1 }, { 1, {} }) return x end)
    refused(function() local x = builder:insert("t", { 1 }, { 1, print }) return x end)
    refused(function() local x = builder:insert("t", { 3 }, { 1, 2 }) return x end)
    refused(function() local x = builder:insert("t", 1, { 1, 2 }) return x end)
    refused(function() local x = builder:delete("t", { 1 }) return x end)
    refused(function() local x = builder:update("t", { 1 }, { 1 }) return x end)
    refused(function() local x = builder:add { table = "t" } return x end)
    refused(function()
      local x = builder:add { table = "t", kind = "x", primary_key = { 1 } }
      return x
    end)
    refused(function() local x = rowtide.adopt(io.stdout) return x end)
  end)

  it("of options is raised as well", function()
    assert.is_truthy(refused(function()
      local x = db:apply(change, { on_conflit = "omit" })
      return x
    end):find("on_conflit", 1, true))
    refused(function() local x = db:apply(change, { on_conflict = "ignore" }) return x end)
    refused(function() local x = db:apply(change, { on_conflict = 1 }) return x end)
    refused(function() local x = db:apply(change, { on_conflict = { dta = "omit" } }) return x end)
    refused(function() local x = db:apply(change, { on_conflict = { data = 1 } }) return x end)
    refused(function() local x = db:apply(change, { invert = 1 }) return x end)
    refused(function()
      local x = db:apply(change, { tables = { "a" }, filter = print })
      return x
    end)
    refused(function() local x = db:apply(change, "omit") return x end)
    refused(function() local x = db:capture(nil, print, { patch = true }) return x end)
    refused(function() local x = db:begin_capture { filter = "users" } return x end)
    refused(function() local x = rowtide.open(":memory:", { readonly = true }) return x end)
    refused(function() local x = change:to_json { names = change } return x end)
    refused(function() local x = change:changes { inverted = true } return x end)
    refused(function() local x = assert(db:undo_log()):step("x") return x end)
    refused(function() local x = db:undo_log { steps = 1 } return x end)
  end)

  it("of methods on something else is an error", function()
    assert.has_error(function() db.exec(change, "SELECT 1") end)
    assert.has_error(function() change.bytes(db) end)
    assert.has_error(function() change.bytes() end)
    assert.has_error(function() db.exec(io.stdout, "SELECT 1") end)
  end)
end)

describe("the module", function()
  it("sets no globals", function()
    local loaded, before = package.loaded, {}
    local core = loaded["rowtide.core"]
    for name in pairs(_G) do
      before[name] = true
    end
    loaded["rowtide.core"] = nil
    require "rowtide.core"
    loaded["rowtide.core"] = core
    for name in pairs(_G) do
      assert.is_true(before[name], tostring(name))
    end
    assert.is_nil(rawget(_G, "swig_type"))
    assert.is_nil(rawget(_G, "rowtide"))
  end)

  it("shows nothing of how it is made", function()
    local function walk(value, seen)
      if type(value) ~= "table" or seen[value] then
        return
      end
      seen[value] = true
      for key, inner in pairs(value) do
        assert.is_nil(tostring(key):lower():find("swig", 1, true))
        walk(inner, seen)
      end
    end
    walk(rowtide, {})
    assert.is_nil(tostring(helper.database()):find("0x", 1, true))
  end)

  it("exports its entry point only", function()
    local search = package.searchpath
    local path = search and search("rowtide.core", package.cpath)
    local process = path and io.popen(("nm -D --defined-only '%s' 2>/dev/null"):format(path))
    if not process then
      return
    end
    for line in process:lines() do
      assert.is_truthy(line:find("luaopen_rowtide_core", 1, true), line)
    end
    process:close()
  end)

  it("names its errors", function()
    assert.is_string(rowtide.errors.corrupt)
    assert.is_string(rowtide.errors.closed)
    assert.is_nil(rowtide.errors.unknown)
  end)

  it("has every method as a function", function()
    assert.equal(helper.change().bytes, rowtide.changeset_bytes)
    assert.is_function(rowtide.undo_log_undo)
    assert.is_function(rowtide.replica_pull)
  end)
end)

describe("garbage collection", function()
  it("may take parents before children", function()
    local capture = assert(helper.database():begin_capture())
    collectgarbage()
    collectgarbage()
    assert.is_true(capture:is_open())
    assert.is_true(assert(capture:finish()):is_empty())
    local next_change, iter = helper.change():changes()
    collectgarbage()
    assert.is_string(next_change(iter).kind)
    local next_row, stmt = helper.database():rows "SELECT id FROM users ORDER BY id"
    collectgarbage()
    assert.equal(1, next_row(stmt).id)
  end)

  it("may end the program with everything open", function()
    local script = [[
      local rowtide = require "rowtide"
      local db = assert(rowtide.open ":memory:")
      assert(db:exec "CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES(1),(2)")
      capture = assert(db:begin_capture { filter = function() return true end })
      assert(db:exec "DELETE FROM t WHERE a = 1")
      change = capture:peek()
      step, iter = change:changes()
      step(iter)
      next_row, stmt = db:rows "SELECT * FROM t"
      next_row(stmt)
      log, undo = db:audit_log(), db:undo_log()
      reading = { rowtide.stream.iterate(function() return change:bytes() end) }
      reading[1](reading[2])
      everything = db
    ]]
    local path = os.tmpname()
    helper.write(path, script .. "\nio.write 'done'")
    local interpreter = arg and arg[-1] or "lua"
    for i = -1, -20, -1 do
      interpreter = arg and arg[i] or interpreter
    end
    local process = assert(io.popen(("'%s' '%s' 2>&1 && echo ' well'"):format(interpreter, path)))
    local output = process:read "*a"
    process:close()
    os.remove(path)
    assert.equal("done well\n", output)
  end)

  it("closes at the end of a block where Lua can", function()
    if _VERSION ~= "Lua 5.4" then
      return
    end
    local db = helper.database()
    local block = assert(load [[
      local db, rowtide = ...
      local kept
      do
        local capture <close> = assert(db:begin_capture())
        kept = capture
      end
      for _ in db:rows "SELECT * FROM users" do break end
      local other <close> = assert(rowtide.open ":memory:")
      return kept:is_open(), other
    ]])
    local open, other = block(db, rowtide)
    assert.is_false(open)
    assert.is_false(other:is_open())
    assert(db:exec "DROP TABLE users")
  end)
end)
