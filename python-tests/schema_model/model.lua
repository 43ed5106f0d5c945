-- The model of model.sql, as JSON.
local rowtide = require "rowtide"

io.write(assert(rowtide.schema {
  { "users",
    { "id", "INTEGER", primary_key = true },
    { "email", "TEXT", not_null = true, unique = true, collation = "NOCASE" },
    { "name", "TEXT", not_null = true, default_sql = "'nobody'" },
    { "deleted_at", "TEXT" },
    soft_delete = "deleted_at",
    indexes = { { "name", "id DESC", name = "by_name", where = "name <> ''" } },
    checks = { named = "length(name) > 0" },
  },
  { "posts",
    { "id", "INTEGER", primary_key = true },
    { "user_id", "INTEGER", not_null = true,
      belongs_to = { "users", on_delete = "CASCADE", foreign_key = true } },
    { "title", "TEXT", not_null = true, check = "title <> ''", indexed = true },
    { "loud", "TEXT", generated_as = "upper(title)" },
  },
  { "tags",
    { "scope", "TEXT", not_null = true },
    { "word", "TEXT", not_null = true },
    { "weight", "REAL", not_null = true, default_sql = "1.5" },
    primary_key = { "scope", "word" }, strict = true, without_rowid = true,
  },
  "CREATE VIEW names AS SELECT name FROM users;",
}):to_json())
