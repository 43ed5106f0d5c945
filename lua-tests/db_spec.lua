local rowtide = require "rowtide"
local helper = require "helper"

-- 5.3 and later have integers; the others have strings beyond 2^53.
local HAS_INTEGERS = math.type ~= nil
local BIG = HAS_INTEGERS and 9007199254740993 or "9007199254740993"
local LEAST = HAS_INTEGERS and math.mininteger or "-9223372036854775808"
local MOST = HAS_INTEGERS and math.maxinteger or "9223372036854775807"

describe("a connection", function()
  after_each(helper.clean)

  it("opens, runs SQL and closes", function()
    local path = helper.path ".db"
    local db = assert(rowtide.open(path))
    assert.is_true(db:is_open())
    assert.equal(path, db:path():sub(-#path))
    assert.is_true(db:exec "CREATE TABLE t(a); INSERT INTO t VALUES(1)")
    assert.is_true(db:close())
    assert.is_true(db:close())
    assert.is_false(db:is_open())
    assert.equal("rowtide.Db(closed)", tostring(db))
  end)

  it("says what it is", function()
    assert.equal('rowtide.Db(":memory:")', tostring(assert(rowtide.open ":memory:")))
  end)

  it("answers \"closed\" after close", function()
    local db = helper.database()
    db:close()
    for _, call in ipairs {
      function() return db:exec "SELECT 1" end,
      function() return db:execute "SELECT 1" end,
      function() return db:row "SELECT 1" end,
      function() return db:begin_capture() end,
      function() return db:capture(nil, function() end) end,
      function() return db:apply(helper.change()) end,
      function() return db:audit_log() end,
      function() return db:undo_log() end,
      function() return db:transaction(function() end) end,
    } do
      local result, message, code = call()
      assert.is_nil(result)
      assert.is_string(message)
      assert.equal("closed", code)
    end
  end)

  it("returns nil, message, code for what cannot be opened", function()
    local db, message, code = rowtide.open("/no/such/dir/x.db")
    assert.is_nil(db)
    assert.is_truthy(message:find("x.db", 1, true))
    assert.is_string(code)
    assert.is_nil((rowtide.open(helper.path(), { must_exist = true })))
  end)

  it("opens for reading only", function()
    local path = helper.path ".db"
    assert(assert(rowtide.open(path)):exec "CREATE TABLE t(a)")
    local db = assert(rowtide.open(path, { read_only = true, busy_timeout = 10 }))
    local ok, message, code = db:exec "INSERT INTO t VALUES(1)"
    assert.is_nil(ok)
    assert.is_string(message)
    assert.equal("read_only", code)
  end)

  it("says when another one holds the lock", function()
    local path = helper.path ".db"
    local holder = assert(rowtide.open(path))
    assert(holder:exec(helper.SCHEMA .. helper.ROWS .. "BEGIN IMMEDIATE"))
    local db = assert(rowtide.open(path, { busy_timeout = 1 }))
    local change = helper.change()
    for _, call in ipairs {
      function() return db:exec "DELETE FROM users" end,
      function() return db:transaction(error) end,
      function() return db:apply(change) end,
    } do
      local result, message, code = call()
      assert.is_nil(result)
      assert.is_string(message)
      assert.equal("busy", code)
      assert.is_false(db:in_transaction())
    end
    assert(holder:exec "ROLLBACK")
    assert.equal(3, assert(db:apply(change)).applied)
  end)

  it("is adopted from where its pointer is known", function()
    local db = helper.database()
    local adopted = assert(rowtide.adopt(assert(db:pointer())))
    assert.equal("Ann", adopted:value "SELECT name FROM users WHERE id = 1")
    assert.equal(1, #helper.captured(adopted, "DELETE FROM users WHERE id = 1"))
    db:close()
    assert.equal("closed", select(3, db:pointer()))
  end)

  it("closes under statements, captures and logs", function()
    local db = helper.database()
    local next_row, stmt = db:rows "SELECT * FROM users"
    next_row(stmt)
    local capture, log = assert(db:begin_capture()), assert(db:audit_log())
    local undo = assert(db:undo_log())
    assert(db:close())
    assert.has_error(function() next_row(stmt) end)
    assert.equal("closed", select(3, capture:finish()))
    assert.equal("closed", select(3, log:entry(function() end)))
    assert.equal("closed", select(3, undo:undo()))
    assert.is_false(capture:is_open())
  end)

  it("works by methods and by functions of the module", function()
    local db = helper.database()
    assert.equal(rowtide.db_exec, db.exec)
    assert.equal(1, rowtide.db_execute(db, "DELETE FROM orders WHERE id = 10"))
  end)
end)

describe("small SQL", function()
  local db
  before_each(function()
    db = helper.database()
  end)

  it("counts changed rows", function()
    assert.equal(2, db:execute "UPDATE users SET score = 0")
    assert.equal(2, db:changes())
    assert.equal(1, db:execute("INSERT INTO users(name) VALUES(?)", { "Cy" }))
    assert.equal(3, db:last_insert_rowid())
  end)

  it("binds by position and by name", function()
    assert(db:execute("INSERT INTO users VALUES(?, ?, ?, ?)", { 5, "Eve", 0.5, rowtide.null }))
    assert(db:execute("INSERT INTO users(id, name) VALUES(:id, @name)", { id = 6, name = "F" }))
    assert.equal("Eve", db:value("SELECT name FROM users WHERE id = ?", { 5 }))
    assert.equal("F", db:value("SELECT name FROM users WHERE id = $id", { ["$id"] = 6 }))
  end)

  it("gives rows by name and by position", function()
    local names = {}
    for row in db:rows "SELECT id, name FROM users ORDER BY id" do
      names[row.id] = row.name
    end
    assert.same({ "Ann", "Bob" }, names)
    for row in db:tuples "SELECT id, NULL, name FROM users WHERE id = 1" do
      assert.equal(3, row.n)
      assert.equal(1, row[1])
      assert.equal(rowtide.null, row[2])
      assert.equal("Ann", row[3])
    end
    assert.equal("Bob", db:row("SELECT * FROM users WHERE id = 2").name)
    assert.is_false(db:row "SELECT * FROM users WHERE id = 99")
    assert.is_false(db:value "SELECT 1 WHERE 0")
  end)

  it("keeps 64-bit integers", function()
    assert(db:exec "CREATE TABLE big(v INTEGER)")
    for _, value in ipairs { 0, -1, 2 ^ 31, BIG, LEAST, MOST } do
      assert(db:exec "DELETE FROM big")
      assert(db:execute("INSERT INTO big VALUES(?)", { value }))
      assert.equal("integer", db:value "SELECT typeof(v) FROM big")
      assert.equal(value, db:value "SELECT v FROM big")
    end
    assert.equal(BIG, db:value "SELECT 9007199254740993")
    assert.equal("integer", db:value("SELECT typeof(?)", { rowtide.integer "9007199254740993" }))
    assert.equal(BIG, db:value("SELECT ?", { rowtide.integer "9007199254740993" }))
  end)

  it("keeps reals, also infinite ones", function()
    assert.equal(0.1, db:value("SELECT ?", { 0.1 }))
    assert.equal(1 / 0, db:value("SELECT ?", { 1 / 0 }))
    assert.equal("real", db:value("SELECT typeof(?)", { rowtide.real(3) }))
    assert.equal("integer", db:value("SELECT typeof(?)", { 3 }))
  end)

  it("keeps NUL and any other byte in text and blobs", function()
    local every = {}
    for i = 0, 255 do
      every[#every + 1] = string.char(i)
    end
    every = table.concat(every)
    assert.equal(every, db:value("SELECT ?", { rowtide.blob(every) }))
    assert.equal("a\0b", db:value("SELECT ?", { "a\0b" }))
    assert.equal("", db:value("SELECT ?", { "" }))
    assert.equal("", db:value("SELECT ?", { rowtide.blob "" }))
    assert.equal("blob", db:value("SELECT typeof(?)", { rowtide.blob "" }))
    assert.equal("text", db:value("SELECT typeof(?)", { "" }))
  end)

  it("binds booleans as numbers", function()
    assert.equal(1, db:value("SELECT ?", { true }))
    assert.equal(0, db:value("SELECT ?", { false }))
  end)

  it("refuses parameters that do not fit", function()
    local function code(sql, params)
      local result, message, name = db:execute(sql, params)
      assert.is_nil(result)
      assert.is_string(message)
      return name
    end
    assert.equal("invalid", code("SELECT ?, ?", { 1 }))
    assert.equal("invalid", code("SELECT ?", { 1, 2 }))
    assert.equal("invalid", code("SELECT :a", { b = 1 }))
    assert.equal("invalid", code("SELECT ?", { {} }))
    assert.equal("invalid", code("SELECT ?", { print }))
    assert.equal("invalid", code("SELECT ?"))
    assert.equal("invalid", code("SELECT ?", { [true] = 1 }))
  end)

  it("names what is wrong with SQL", function()
    local ok, message, code = db:exec "SELECT * FROM nowhere"
    assert.is_nil(ok)
    assert.is_truthy(message:find("nowhere", 1, true))
    assert.equal("sql", code)
    assert.is_nil((db:execute "SELECT 1; SELECT 2"))
    assert.equal("constraint", select(3, db:exec "INSERT INTO users(id) VALUES(1)"))
    assert.has_error(function()
      for _ in db:rows "SELECT * FROM nowhere" do end
    end)
  end)

  it("iterates inside coroutines", function()
    local next_name = coroutine.wrap(function()
      for row in db:rows "SELECT name FROM users ORDER BY id" do
        coroutine.yield(row.name)
      end
    end)
    assert.equal("Ann", next_name())
    assert.equal("Bob", next_name())
    assert.is_nil(next_name())
  end)
end)

describe("a transaction", function()
  local db
  before_each(function()
    db = helper.database()
  end)

  it("commits and returns what the function returns", function()
    assert.equal(7, db:transaction(function(inner)
      assert.equal(db, inner)
      assert.is_true(db:in_transaction())
      assert(db:exec "DELETE FROM orders")
      return 7
    end))
    assert.is_false(db:in_transaction())
    assert.equal(0, db:value "SELECT count(*) FROM orders")
    assert.is_true(db:transaction(function() end))
  end)

  it("rolls back and hands the error on", function()
    local reason = { "why" }
    local err = helper.raised(db.transaction, db, function()
      assert(db:exec "DELETE FROM orders")
      error(reason)
    end)
    assert.equal(reason, err)
    assert.equal(2, db:value "SELECT count(*) FROM orders")
  end)

  it("nests", function()
    db:transaction(function()
      assert(db:exec "DELETE FROM orders WHERE id = 10")
      assert.is_false(pcall(db.transaction, db, function()
        assert(db:exec "DELETE FROM orders")
        error "no"
      end))
      assert.equal(1, db:value "SELECT count(*) FROM orders")
    end)
    assert.equal(1, db:value "SELECT count(*) FROM orders")
  end)
end)
