local rowtide = require "rowtide"
local helper = require "helper"

local SHOP = [[
  CREATE TABLE customers(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    email TEXT NOT NULL COLLATE NOCASE UNIQUE ON CONFLICT REPLACE,
    name VARCHAR(40) DEFAULT 'nobody', -- who it is
    CONSTRAINT named CHECK (length(name) > 0)
  );
  CREATE TABLE orders(customer INTEGER REFERENCES customers ON DELETE CASCADE, number INTEGER,
    PRIMARY KEY(customer, number)) WITHOUT ROWID;
  CREATE INDEX by_name ON customers(lower(name), email DESC) WHERE name <> '';
  CREATE VIEW names AS SELECT id, name FROM customers;
  CREATE TRIGGER rename INSTEAD OF UPDATE ON names BEGIN SELECT 1; END;
]]

describe("a schema", function()
  local shop
  before_each(function()
    shop = assert(rowtide.schema(SHOP))
  end)
  after_each(helper.clean)

  it("is looked at by place and by name", function()
    local tables = shop:tables()
    assert.equal(2, #tables)
    assert.equal("customers", tables[1].name)
    assert.equal(tables[2], tables.ORDERS)
    assert.is_nil(tables.nothing)
    assert.equal("names", shop:views()[1].name)
    local email = tables.customers.columns.email
    assert.equal("TEXT", email.type)
    assert.equal("text", email.affinity)
    assert.equal("NOCASE", email.collation)
    assert.is_true(email.not_null)
    assert.is_nil(email.default_sql)
    assert.equal("'nobody'", tables.customers.columns.name.default_sql)
    assert.equal(2, tables.orders.columns.number.primary_key)
    assert.is_true(tables.orders.without_rowid)
  end)

  it("has constraints, indexes and triggers", function()
    local customers = shop:tables().customers
    assert.is_true(customers.keys[1].autoincrement)
    assert.equal("REPLACE", customers.keys[2].on_conflict)
    assert.equal("length(name) > 0", customers.checks.named.expression)
    local key = shop:tables().orders.foreign_keys[1]
    assert.same({ "customer" }, key.columns)
    assert.same({}, key.table_columns)
    assert.equal("CASCADE", key.on_delete)
    local columns = customers.indexes.by_name.columns
    assert.equal("lower(name)", columns[1].expression)
    assert.is_true(columns[2].descending)
    assert.equal("INSTEAD OF", shop:views().names.triggers[1].timing)
  end)

  it("is printed and read again", function()
    local again = assert(rowtide.schema(shop:to_sql()))
    assert.is_true(again == shop)
    assert.equal(shop:to_json(), again:to_json())
    assert.is_truthy(shop:to_sql():find("-- who it is", 1, true))
    assert.is_truthy(shop:to_svg():find "^<.*svg")
    assert.is_false(shop == assert(rowtide.schema "CREATE TABLE t(a)"))
  end)

  it("is read from a database", function()
    local db = helper.database()
    assert.equal("rowtide.Schema(users, orders)", tostring(assert(db:schema())))
    assert.equal(1, #assert(db:schema { tables = "users" }):tables())
    assert.equal(0, #assert(db:schema { tables = { "nothing" } }):tables())
    assert(db:exec "ATTACH ':memory:' AS side; CREATE TABLE side.there(x)")
    assert.equal("there", assert(db:schema { schema = "side" }):tables()[1].name)
    assert(db:undo_log())
    assert.is_nil(assert(db:schema()):tables().rowtide_undo)
    assert.is_table(assert(db:schema { internal = true }):tables().rowtide_undo)
  end)

  it("says what is wrong with SQL", function()
    local schema, message, code = rowtide.schema "CREATE TABLE t(a);\nCREATE TABLE u(;"
    assert.is_nil(schema)
    assert.is_truthy(message:find("line 2", 1, true))
    assert.equal("sql", code)
  end)

  it("is closed by hand or by itself", function()
    assert.is_true(shop:close())
    assert.equal("rowtide.Schema(closed)", tostring(shop))
    assert.equal("closed", select(3, shop:to_sql()))
    assert.is_truthy(helper.raised(shop.tables, shop):find("closed", 1, true))
  end)

  it("has names that can be read", function()
    local tables = shop:tables()
    assert.equal("rowtide.Table(orders)", tostring(tables.orders))
    assert.equal("rowtide.Index(by_name)", tostring(tables.customers.indexes[1]))
    assert.is_truthy(tostring(tables.customers.columns.email):find "^rowtide.Column%(email TEXT")
  end)
end)

local MODEL = {
  { "users",
    { "id", "INTEGER", primary_key = true },
    { "email", "TEXT", not_null = true, unique = true, collation = "NOCASE" },
    { "name", "TEXT", not_null = true, default_sql = "''", check = "name <> 'x'" },
    { "deleted_at", "TEXT" },
    soft_delete = "deleted_at",
    indexes = { "name", { "name", "lower(email) DESC", name = "both", where = "id > 0" } },
    checks = { "length(name) < 50", long_email = "length(email) > 2" },
  },
  { "posts",
    { "id", "INTEGER", primary_key = true },
    { "user_id", "INTEGER", not_null = true, belongs_to = { "users", on_delete = "CASCADE" } },
    { "title", "TEXT" },
    { "loud", "TEXT", generated_as = "upper(title)" },
    belongs_to = { { "users", column = "editor" } },
    many_to_many = { { "tags", through = "tagging" } },
  },
  { "tags",
    { "id", "INTEGER", primary_key = true },
    { "name", "TEXT" },
    strict = true,
  },
  { "grades",
    { "student", "INTEGER" },
    { "course", "TEXT" },
    primary_key = { "student", "course" },
    without_rowid = true,
  },
  "CREATE VIEW names AS SELECT name FROM users;",
}

describe("a model", function()
  after_each(helper.clean)

  it("is a table", function()
    local schema = assert(rowtide.schema(MODEL))
    local tables = schema:tables()
    assert.equal("rowtide.Schema(users, posts, tags, grades, tagging)",
      tostring(schema))
    assert.equal("NOCASE", tables.users.columns.email.collation)
    assert.equal("''", tables.users.columns.name.default_sql)
    assert.equal(3, #tables.users.checks)
    assert.equal("length(email) > 2", tables.users.checks.long_email.expression)
    assert.is_truthy(tables.users.indexes.ux_users_email.where:find "deleted_at")
    assert.equal("id > 0", tables.users.indexes.both.where)
    assert.is_table(tables.users.indexes.ix_users_name)
    assert.is_true(tables.tags.strict)
    assert.equal(1, tables.grades.columns.student.primary_key)
    assert.equal("upper(title)", tables.posts.columns.loud.generated_as)
    assert.is_table(tables.posts.columns.editor)
    assert.is_true(tables.posts.foreign_keys[1].relation)
    assert.equal("names", schema:views()[1].name)
  end)

  it("may have its tables by name", function()
    local one = assert(rowtide.schema {
      b = { { "x" } }, a = { { "y", "TEXT" } }, "CREATE TABLE c(z)",
    })
    assert.is_true(one == assert(rowtide.schema
      "CREATE TABLE a(y TEXT); CREATE TABLE b(x); CREATE TABLE c(z)"))
  end)

  it("may hold a schema", function()
    local one = assert(rowtide.schema "CREATE TABLE a(y TEXT)")
    assert.is_true(assert(rowtide.schema { one, b = { { "x" } } }) == assert(rowtide.schema
      "CREATE TABLE a(y TEXT); CREATE TABLE b(x)"))
    assert.equal(one, rowtide.schema(one))
  end)

  local function wrong(model, ...)
    local message = helper.raised(rowtide.schema, model)
    for _, words in ipairs { ... } do
      assert.is_truthy(tostring(message):find(words, 1, true), message)
    end
    assert.is_nil(message:find "\n")
  end

  it("says what is wrong with it", function()
    wrong({ users = { { "id", uniqe = true } } }, "users.id", "uniqe")
    wrong({ users = { { "id", unique = "yes" } } }, "users.id", "unique", "boolean")
    wrong({ users = { { "id", 5 } } }, "users.id", "string")
    wrong({ users = { { 5 } } }, "users[1]", "name")
    wrong({ users = { "id" } }, "users[1]", "table")
    wrong({ users = {} }, "users", "column")
    wrong({ users = { { "id" }, strikt = true } }, "users", "strikt")
    wrong({ users = { { "id" }, indexes = { { 5 } } } }, "users.indexes[1]")
    wrong({ users = { { "id" }, checks = { 5 } } }, "users.checks")
    wrong({ users = { { "id" }, belongs_to = 5 } }, "users.belongs_to")
    wrong({ { { "id" } } }, "model[1]", "name")
    wrong(5, "SQL, a table or a rowtide.Schema")
    local schema, message, code = rowtide.schema { users = { { "id", default_sql = "no (" } } }
    assert.is_nil(schema)
    assert.is_truthy(message:find("users", 1, true))
    assert.is_string(code)
  end)
end)

describe("auto_migrate", function()
  after_each(helper.clean)

  it("makes what is missing, once", function()
    local db = assert(rowtide.open ":memory:")
    local report = assert(db:auto_migrate(MODEL))
    assert.equal(0, #report.refused)
    assert.equal(#report, #report.done)
    assert.is_truthy(report[1].sql:find "^CREATE")
    assert.equal(("rowtide.SchemaReport(%d done, 0 refused)"):format(#report), tostring(report))
    assert.equal(0, #assert(db:auto_migrate(MODEL)))
    assert.equal(0, #assert(db:plan(MODEL)))
    assert.is_true(assert(assert(db:schema()):diff(MODEL)):is_empty())
  end)

  it("refuses, and says so", function()
    local db = assert(rowtide.open ":memory:")
    assert(db:exec [[
      CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT);
      INSERT INTO tags VALUES(1, 'a');
    ]])
    local report = assert(db:auto_migrate {
      tags = { { "id", "INTEGER", primary_key = true }, { "name", "TEXT" },
        { "needed", "TEXT", not_null = true }, { "fine", "TEXT" } },
    })
    assert.equal("fine", report.done[1].name)
    assert.equal("needed", report.refused[1].name)
    assert.is_truthy(report.refused[1].reason:find("NOT NULL", 1, true))
  end)

  it("makes foreign keys when asked", function()
    local db = assert(rowtide.open ":memory:")
    assert(db:auto_migrate(MODEL))
    assert.equal(0, #assert(db:schema()):tables().posts.foreign_keys)
    db = assert(rowtide.open ":memory:")
    assert(db:auto_migrate(MODEL, { foreign_keys = true }))
    assert.equal(2, #assert(db:schema()):tables().posts.foreign_keys)
  end)

  it("writes nothing in a dry run", function()
    local db = assert(rowtide.open ":memory:")
    assert.is_true(#assert(db:auto_migrate(MODEL, { dry_run = true })) > 3)
    assert.equal(0, #assert(db:schema()):tables())
    assert.is_truthy(helper.raised(db.auto_migrate, db, MODEL, { dry = true }):find "dry")
    assert.is_truthy(helper.raised(db.auto_migrate, db, 5):find "model")
    assert.equal("sql", select(3, db:auto_migrate "CREATE TABLE"))
  end)
end)

local OLD = [[
  CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT, age TEXT);
  CREATE TABLE gone(x);
]]
local NEW = [[
  CREATE TABLE people(id INTEGER PRIMARY KEY, email TEXT, age INTEGER, nick TEXT);
]]
local RENAMES = { ["people.mail"] = "email" }

describe("a difference", function()
  it("says what has to change", function()
    local change = assert(assert(rowtide.schema(OLD)):diff(NEW, { renames = RENAMES }))
    local found = {}
    for _, one in ipairs(change:changes()) do
      found[one.operation .. " " .. one.object .. " " .. one.aspect] = one
      assert.is_truthy(tostring(one):find "^rowtide.SchemaChange")
    end
    assert.equal(#change, #change:changes())
    assert.is_false(change:is_empty())
    assert.equal("lossy", found["change column type"].effect)
    assert.equal("TEXT", found["change column type"].from)
    assert.equal("destructive", found["remove table whole"].effect)
    assert.is_table(found["rename column whole"])
    assert.is_truthy(change:up():find("nick", 1, true))
    assert.is_string(change:down())
  end)

  it("refuses hints that name nothing", function()
    local old = assert(rowtide.schema(OLD))
    assert.equal("not_found", select(3, old:diff(NEW, { renames = { ["people.x"] = "y" } })))
    assert.is_truthy(helper.raised(old.diff, old, NEW, { renames = { "x" } }):find "renames")
    assert.is_truthy(helper.raised(old.diff, old, NEW, { undeclared = "x" }):find "remove")
  end)
end)

describe("a plan", function()
  local db
  before_each(function()
    db = assert(rowtide.open ":memory:")
    assert(db:exec(OLD .. [[
      INSERT INTO people VALUES(1, 'a', '1'), (5, 'b', '007'), (9, NULL, 'x');
      CREATE VIEW mails AS SELECT mail FROM people;
    ]]))
  end)
  after_each(helper.clean)

  it("is read, checked and applied", function()
    local plan = assert(db:plan(NEW, {
      renames = RENAMES, undeclared = "ignore", allow = "lossy",
    }))
    assert.is_true(#plan > 0)
    assert.equal(#plan, #plan:steps())
    assert.is_truthy(plan:to_text():find("people", 1, true))
    local findings = assert(plan:preflight())
    assert.equal("lossy", findings[1].kind)
    assert.is_false(findings[1].fatal)
    assert.equal(1, db:value("SELECT count(*) FROM people WHERE " .. findings[1].samples[1]))
    local report = assert(plan:apply())
    assert.equal(0, #report.refused)
    assert.equal("INTEGER", assert(db:schema()):tables().people.columns.age.type)
    assert.equal("mails", assert(db:schema()):views()[1].name)
    assert.equal(0, #assert(db:plan(NEW, { undeclared = "ignore" })))
  end)

  it("refuses what is not allowed", function()
    local plan = assert(db:plan(NEW, { renames = RENAMES }))
    local refused = {}
    for _, step in ipairs(plan:steps()) do
      if step.refused then
        refused[#refused + 1] = step.name
      end
    end
    table.sort(refused)
    assert.same({ "age", "gone", "mails" }, refused)
    assert.equal(3, #assert(plan:apply()).refused)
    assert.is_table(assert(db:schema()):tables().gone)
    plan = assert(db:plan(assert(db:schema()):to_sql():gsub("CREATE TABLE gone%(x%);", ""),
      { allow = { "lossy", "destructive" } }))
    assert(plan:apply())
    assert.is_nil(assert(db:schema()):tables().gone)
    assert.is_truthy(helper.raised(db.plan, db, NEW, { allow = "all" }):find "lossy")
  end)

  it("stops at rows that are in the way", function()
    local wanted = OLD:gsub("mail TEXT", "mail TEXT NOT NULL")
    local plan = assert(db:plan(wanted, { undeclared = "ignore" }))
    assert.is_true(assert(plan:preflight())[1].fatal)
    local report, message, code = plan:apply()
    assert.is_nil(report)
    assert.equal("constraint", code)
    assert.is_truthy(message:find("people", 1, true))
  end)

  it("rebuilds a table", function()
    local sql = "CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT, age INTEGER)"
    assert.equal(1, #assert(db:rebuild(sql)).refused)
    local copied = 0
    for _, action in ipairs(assert(db:rebuild(sql, { allow = "lossy" }))) do
      copied = copied + action.rows
    end
    assert.equal(3, copied)
    assert.equal("1|a|1\n5|b|7\n9|nil|x", (helper.dump(db, "people"):gsub("null", "nil")))
  end)

  it("tells how far it is, and can be stopped", function()
    assert(db:exec [[
      INSERT INTO people(age) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c
        WHERE i < 60000) SELECT i FROM c
    ]])
    local sql = "CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT, age INTEGER)"
    local options = { allow = "lossy", progress = function() return false end }
    assert.equal("cancelled", select(3, db:rebuild(sql, options)))
    local reason = {}
    options.progress = function() error(reason) end
    assert.equal(reason, helper.raised(db.rebuild, db, sql, options))
    assert.is_false(db:in_transaction())
    options.progress = function(progress) assert.is_string(progress.phase) end
    assert(db:rebuild(sql, options))
  end)

  it("knows when its database is closed", function()
    local plan = assert(db:plan(NEW))
    local model = assert(db:schema())
    assert(db:close())
    assert.equal("closed", select(3, plan:apply()))
    assert.equal("closed", select(3, plan:preflight()))
    assert.equal("closed", select(3, db:schema()))
    assert.equal("closed", select(3, db:auto_migrate(NEW)))
    assert.equal("closed", select(3, db:rebuild "CREATE TABLE people(x)"))
    assert.equal(2, #model:tables())
    assert.is_true(#plan:steps() > 0)
    assert(plan:close())
    assert.equal("closed", select(3, plan:steps()))
  end)

  it("says where a mistake is", function()
    for _, mistake in ipairs {
      function() local _ = db:plan(NEW, { allow = "all" }) end,
      function() local _ = db:plan(NEW, { renames = { 5 } }) end,
      function() local _ = db:plan { users = { { "id", uniqe = true } } } end,
      function() local _ = rowtide.schema { users = { {} } } end,
      function() local _ = assert(db:schema()):diff(NEW, { undeclared = 5 }) end,
    } do
      assert.is_truthy(helper.raised(mistake):find "schema_spec.lua:%d+: ")
    end
  end)

  it("lets nothing through that would leave the call by another way", function()
    local sql = "CREATE TABLE people(id INTEGER PRIMARY KEY, mail TEXT, age INTEGER)"
    local options = { allow = "lossy", progress = function() coroutine.yield() end }
    local thread = coroutine.create(function() return db:rebuild(sql, options) end)
    local ok, message = coroutine.resume(thread)
    assert.is_false(ok)
    assert.is_truthy(tostring(message):find("yield", 1, true))
    assert.is_truthy(helper.raised(db.rebuild, db, sql, { progress = 5 }):find "progress")
    assert.is_truthy(helper.raised(db.plan, db, 5):find "model")
    assert.is_truthy(helper.raised(db.rebuild, db, 5):find "sql")
    options.progress = function() assert.is_nil((db:close())) end
    assert(db:rebuild(sql, options))
    assert.is_true(db:is_open())
  end)
end)
