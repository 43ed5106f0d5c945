-- Tables as tables: make them, change them, and see what it takes.

local rowtide = require "rowtide"

local model = {
  users = {
    { "id", "INTEGER", primary_key = true },
    { "email", "TEXT", not_null = true, unique = true, collation = "NOCASE" },
    { "name", "TEXT", not_null = true, default_sql = "''" },
    { "deleted_at", "TEXT" },
    soft_delete = "deleted_at",
  },
  posts = {
    { "id", "INTEGER", primary_key = true },
    { "user_id", "INTEGER", not_null = true,
      belongs_to = { "users", on_delete = "CASCADE" } },
    { "title", "TEXT", not_null = true },
    indexes = { { "user_id", "title DESC" } },
    checks = { "length(title) > 0" },
    many_to_many = "tags",
  },
  tags = {
    { "id", "INTEGER", primary_key = true },
    { "name", "TEXT", not_null = true, unique = true },
  },
}

local db = assert(rowtide.open ":memory:")
for _, action in ipairs(assert(db:auto_migrate(model, { foreign_keys = true }))) do
  print(action.object, action.name, action.done and "is made" or action.reason)
end
assert(#assert(db:auto_migrate(model, { foreign_keys = true })) == 0)

-- Later, the model has changed. Adding is safe, the rest is planned.
assert(db:exec "INSERT INTO users(email, name) VALUES('ada@example.com', 'Ada')")
local sql = assert(db:schema()):to_sql():gsub('"name" TEXT', '"full_name" TEXT', 1)
local plan = assert(db:plan(sql, { renames = { ["users.name"] = "full_name" } }))
print(plan:to_text())
assert(#assert(plan:preflight()) == 0)
print(assert(plan:apply()))
print(db:value "SELECT full_name FROM users")
assert(db:schema() == rowtide.schema(sql))

local columns = assert(db:schema()):tables().users.columns
print(columns.email.type, columns.email.collation)
db:close()
