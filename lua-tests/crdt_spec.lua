local rowtide = require "rowtide"
local helper = require "helper"

local SCHEMA = [[
  CREATE TABLE notes(id TEXT PRIMARY KEY NOT NULL, title TEXT, body, done INTEGER DEFAULT 0);
  CREATE TABLE plain(id INTEGER PRIMARY KEY NOT NULL, x);
]]

-- A database with one table that takes part, and its crdt.
local function make(sql)
  local db = assert(rowtide.open ":memory:")
  assert(db:exec(SCHEMA .. (sql or "")))
  local crdt = assert(db:crdt())
  assert(crdt:enable "notes")
  return db, crdt
end

local function changes(crdt, options)
  local list = {}
  for change in crdt:pull(options) do
    list[#list + 1] = change
  end
  return list
end

describe("crdt", function()
  local a, b, left, right
  before_each(function()
    a, left = make()
    b, right = make()
  end)
  after_each(helper.clean)

  local function assert_same()
    assert.equal(helper.dump(a, "notes"), helper.dump(b, "notes"))
  end

  it("enables tables and takes them out again", function()
    assert.is_true(left:is_enabled "notes")
    assert.is_false(left:is_enabled "plain")
    assert.is_false(left:is_enabled "nothing")
    assert.is_true(left:enable "plain")
    assert.is_true(left:enable "plain")
    assert.same({ "notes", "plain" }, left:tables())
    assert.is_true(left:disable "notes")
    assert.same({ "plain" }, left:tables())
  end)

  it("says why a table cannot take part", function()
    assert(a:exec "CREATE TABLE odd(x UNIQUE)")
    local ok, message, code = left:enable "odd"
    assert.is_nil(ok)
    assert.is_truthy(message:find("odd", 1, true))
    assert.equal("schema", code)
    assert.is_nil((left:enable "nothing"))
  end)

  it("knows who and when", function()
    assert.equal(16, #left:site_id())
    assert.are_not.equal(left:site_id(), right:site_id())
    assert.equal(0, left:version())
    assert(a:exec "INSERT INTO notes(id) VALUES('x')")
    assert.equal(1, left:version())
  end)

  it("syncs two databases", function()
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'from a'), ('y', 'to go')")
    assert(b:exec "INSERT INTO notes(id, title) VALUES('z', 'from b')")
    assert.is_true(rowtide.sync(a, b))
    assert_same()
    assert(a:exec "DELETE FROM notes WHERE id = 'y'")
    assert(b:exec "UPDATE notes SET done = 1 WHERE id = 'x'")
    assert(a:exec "UPDATE notes SET title = 'new' WHERE id = 'x'")
    assert.is_true(rowtide.sync(left, right))
    assert_same()
    assert.equal("new", b:value "SELECT title FROM notes WHERE id = 'x'")
    assert.equal(1, a:value "SELECT done FROM notes WHERE id = 'x'")
    assert.equal(2, a:value "SELECT count(*) FROM notes")
    assert.equal("invalid", select(3, rowtide.sync(a, a)))
    assert.is_true(left:sync(b))
  end)

  it("fetches one way, and remembers how far", function()
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'one')")
    local report = assert(right:fetch(a))
    assert.equal(3, report.applied)
    assert.equal(0, report.ignored)
    assert.equal(3, report.count)
    assert.same({ table = "notes", applied = 3, ignored = 0 }, report.tables.notes)
    assert.equal("rowtide.MergeReport(3 applied, 0 ignored)", tostring(report))
    assert.equal(1, right:peer_version(left:site_id()))
    assert.equal(1, report.version)
    assert.equal(0, assert(right:fetch(left)).count)
    local peers = assert(right:peers())
    assert.equal(left:site_id(), peers[1].site_id)
    assert.equal(1, peers[1].received)
    assert.equal(1, #peers)
  end)

  it("keeps cursors by hand", function()
    local site = ("p"):rep(16)
    assert.equal(0, left:peer_version(site))
    assert.is_true(left:set_peer_version(site, 7))
    assert.is_true(left:set_peer_version(site, 5))
    assert.equal(7, left:peer_version(site))
    assert.same({ { site_id = site, received = 7, acknowledged = 0 } }, left:peers())
  end)

  it("pulls changes in order, and by what is asked for", function()
    assert(left:enable "plain")
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'one')")
    assert(a:exec "INSERT INTO plain VALUES(1, NULL)")
    assert(a:exec "DELETE FROM notes")
    local all = changes(left)
    assert.equal(2, #all)
    assert.equal("plain", all[1].table)
    assert.equal("x", all[1].column)
    assert.equal(rowtide.null, all[1].value)
    assert.equal("\1\9\1", all[1].pk)
    assert.equal(left:site_id(), all[1].site_id)
    assert.equal(1, all[1].column_version)
    assert.equal(2, all[1].db_version)
    assert.equal(1, all[1].causal_length)
    assert.equal(0, all[1].sequence)
    assert.equal("-1", all[2].column)
    assert.equal(2, all[2].causal_length)
    assert.equal(1, #changes(left, { since = 2 }))
    assert.equal(1, #changes(left, { until_ = 2 }))
    assert.equal(1, #changes(left, { tables = "plain" }))
    assert.equal(2, #changes(left, { tables = { "plain", "notes" } }))
    assert.equal(0, #changes(left, { exclude = left:site_id() }))
    assert.equal(2, #changes(left, { only_local = true }))
  end)

  it("reads packed keys", function()
    assert(a:exec [[
      CREATE TABLE both(x TEXT NOT NULL, y NOT NULL, z, PRIMARY KEY(y, x));
      INSERT INTO both VALUES('a', 255, 0), ('', -2.5, 1);
    ]])
    assert(left:enable "both")
    local keys = {}
    for change in left:pull() do
      keys[#keys + 1] = assert(left:key(change.pk))
    end
    table.sort(keys, function(one, two)
      return one[1] < two[1]
    end)
    assert.same({ { -2.5, "", n = 2 }, { 255, "a", n = 2 } }, keys)
    local key, message, code = left:key "\1\17"
    assert.is_nil(key)
    assert.is_string(message)
    assert.is_string(code)
  end)

  it("pulls into coroutines", function()
    assert(a:exec "INSERT INTO notes(id) VALUES('x'), ('y')")
    local count = 0
    for change in coroutine.wrap(function()
      for change in left:pull() do
        coroutine.yield(change)
      end
    end) do
      assert.equal("notes", change.table)
      count = count + 1
    end
    assert.equal(6, count)
    local _, pull = left:pull()
    assert.is_table(pull:next())
    assert.is_table(pull())
    pull:close()
    assert.is_nil(pull:next())
  end)

  it("merges what was pulled, in every form", function()
    assert(a:exec "INSERT INTO notes(id, title, body) VALUES('x', 'one', x'00ff'), ('y', '', 2.0)")
    local payload = assert(left:payload())
    assert.is_string(payload)
    local path = helper.path ".payload"
    assert.is_true(left:payload { sink = rowtide.file(path) })
    local function read(size)
      return helper.reader(payload, size)
    end
    for _, form in ipairs {
      payload, read(1), read(1e6), rowtide.file(path), assert(io.open(path, "rb")), changes(left),
    } do
      local copy, crdt = make()
      local report = assert(crdt:merge(form))
      assert.equal(6, report.applied)
      assert.equal(helper.dump(a, "notes"), helper.dump(copy, "notes"))
      assert.equal("real", copy:value "SELECT typeof(body) FROM notes WHERE id = 'y'")
    end
    assert.equal(6, assert(right:merge(left:pull())).applied)
    assert.equal(6, assert(right:merge(select(2, left:pull()))).ignored)
    assert_same()
    assert.equal(6, assert(left:merge(left:pull())).ignored)
    assert.equal(0, assert(right:merge {}).count)
    assert.equal(0, assert(right:merge(function() end)).count)
  end)

  it("keeps values as they are", function()
    assert(a:exec [[
      INSERT INTO notes(id, body) VALUES('a', 9223372036854775807), ('b', 3.0), ('c', 3),
        ('d', NULL), ('e', x''), ('f', 'a' || char(0) || 'b'), ('g', 1e999), ('h', -0.1);
    ]])
    assert(right:merge(changes(left)))
    local sql = "SELECT group_concat(typeof(body) || quote(body) || length(body)) FROM notes"
    assert.equal(a:value(sql), b:value(sql))
    local later = changes(left)
    for _, change in ipairs(later) do
      change.column_version = change.column_version + 1
      change.value = change.column == "body" and 5 or change.value
    end
    assert(right:merge(later))
    assert.equal(8, b:value "SELECT count(*) FROM notes WHERE typeof(body) = 'integer'")
  end)

  it("writes payloads with options", function()
    assert(a:exec "INSERT INTO notes(id) VALUES('x')")
    assert(a:exec "INSERT INTO notes(id) VALUES('y')")
    assert.equal(3, assert(right:merge(assert(left:payload { since = 1 }))).applied)
    local none = assert(left:payload { exclude = left:site_id(), chunk_size = 1000 })
    assert.equal(0, assert(right:merge(none)).count)
  end)

  it("takes nothing of what is damaged", function()
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'one')")
    local payload = assert(left:payload())
    for size = 0, #payload - 1 do
      local report, message, code = right:merge(payload:sub(1, size))
      assert.is_nil(report)
      assert.is_string(message)
      assert.equal("corrupt", code)
    end
    local list = changes(left)
    list[3].table = "nothing"
    local report, message = right:merge(list)
    assert.is_nil(report)
    assert.is_truthy(message:find("nothing", 1, true))
    assert.equal(0, b:value "SELECT count(*) FROM notes")
    assert.is_false(b:in_transaction())
  end)

  it("hands on what a source raises, and keeps nothing", function()
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'one')")
    local list, reason = changes(left), { "reason" }
    local i = 0
    assert.equal(reason, helper.raised(right.merge, right, function()
      i = i + 1
      return list[i] or i > 2 and error(reason)
    end))
    assert.equal(reason, helper.raised(right.merge, right, function()
      error(reason)
    end))
    assert.equal(0, b:value "SELECT count(*) FROM notes")
    assert.is_false(b:in_transaction())
  end)

  it("merges inside a transaction of the caller", function()
    assert(a:exec "INSERT INTO notes(id) VALUES('x')")
    assert.is_false(pcall(b.transaction, b, function()
      assert(right:merge(left:pull()))
      assert.equal(1, b:value "SELECT count(*) FROM notes")
      error "no"
    end))
    assert.equal(0, b:value "SELECT count(*) FROM notes")
    assert.equal(3, assert(right:merge(left:pull())).applied)
  end)

  it("alters a table", function()
    assert(a:exec "INSERT INTO notes(id, title) VALUES('x', 'one')")
    assert.is_true(left:alter("notes", function()
      assert(a:exec "ALTER TABLE notes ADD COLUMN colour TEXT")
    end))
    assert.equal(7, left:alter("notes", function(db)
      assert.equal(a, db)
      return 7
    end))
    assert(a:exec "UPDATE notes SET colour = 'red'")
    assert(right:alter("notes", function()
      assert(b:exec "ALTER TABLE notes ADD COLUMN colour TEXT")
    end))
    assert(rowtide.sync(a, b))
    assert.equal("red", b:value "SELECT colour FROM notes")
  end)

  it("undoes an alteration that raised", function()
    local reason = {}
    assert.equal(reason, helper.raised(left.alter, left, "notes", function()
      assert(a:exec "ALTER TABLE notes ADD COLUMN colour TEXT")
      error(reason)
    end))
    assert.is_nil((a:exec "SELECT colour FROM notes"))
    assert.is_false(a:in_transaction())
    assert(a:exec "INSERT INTO notes(id) VALUES('x')")
    assert.equal(3, #changes(left))
  end)

  it("undoes an alteration inside a transaction", function()
    assert(a:transaction(function()
      assert(a:exec "INSERT INTO notes(id) VALUES('x')")
      assert.is_false(pcall(left.alter, left, "notes", function()
        assert(a:exec "ALTER TABLE notes ADD COLUMN colour TEXT")
        error "no"
      end))
      assert(a:exec "INSERT INTO notes(id) VALUES('y')")
      assert(left:alter("notes", function()
        assert(a:exec "ALTER TABLE notes RENAME COLUMN body TO content")
      end))
      assert(a:exec "UPDATE notes SET content = 1")
    end))
    assert.equal(6, #changes(left))
    assert.is_nil((left:alter("nothing", function() end)))
    assert.is_false(a:in_transaction())
  end)

  it("forgets deletions", function()
    assert(a:exec "INSERT INTO notes(id) VALUES('x'), ('y')")
    assert(rowtide.sync(a, b))
    assert(a:exec "DELETE FROM notes")
    assert.equal(0, left:collect())
    assert(rowtide.sync(a, b))
    assert.equal(2, left:collect())
    assert.equal(0, #changes(left))
    assert.equal(2, right:collect(right:version()))
  end)

  it("gives the same by function as by method", function()
    assert.equal(left:site_id(), rowtide.crdt_site_id(left))
    assert.equal(left:version(), rowtide.crdt_version(assert(rowtide.db_crdt(a))))
    assert.is_truthy(tostring(left):find("rowtide.Crdt(rowtide.Db", 1, true))
    assert(a:exec "INSERT INTO notes(id) VALUES('x')")
    assert.equal(3, assert(b:merge(left:pull())).applied)
    assert.equal(0, left:convert())
  end)

  it("raises wrong use where it is", function()
    for _, call in ipairs {
      function() left:enable(1) end,
      function() left:alter("notes") end,
      function() left:pull { sinse = 1 } end,
      function() left:pull { exclude = 1 } end,
      function() left:pull { tables = { 1 } } end,
      function() left:payload { sink = 1 } end,
      function() left:merge(1) end,
      function() a:merge(1) end,
      function() left:merge(helper.change()) end,
      function() left:fetch "b" end,
      function() rowtide.sync(a, {}) end,
      function() left:peer_version() end,
    } do
      local err = helper.raised(call)
      assert.is_truthy(err:find("crdt_spec.lua", 1, true), err)
    end
    assert.is_false(pcall(left.merge, left, { { table = "notes" } }))
    assert.is_false(pcall(left.merge, left, { 1 }))
    assert.is_false(b:in_transaction())
  end)

  it("answers that it is closed", function()
    a:close()
    assert.equal("closed", select(3, left:site_id()))
    assert.equal("closed", select(3, left:merge {}))
    assert.equal("closed", select(3, left:payload()))
    assert.equal("closed", select(3, left:peers()))
    assert.equal("closed", select(3, left:alter("notes", print)))
    assert.equal("closed", select(3, a:crdt()))
    assert.is_false(pcall(left.pull, left))
  end)
end)
