-- Models as Lua tables: from there to a builder.
--
--   { users = { { "id", "INTEGER", primary_key = true },
--               { "email", "TEXT", unique = true },
--               soft_delete = "deleted_at", indexes = { "email" } },
--     "CREATE VIEW ..." }
--
-- or, where the order matters, { { "users", { "id", ... }, ... }, ... }.

local core = require "rowtide.core"
local object = require "rowtide.object"

local schema_model = {}

-- What is wrong with a model; raised where the caller wrote it.
local Fault = {}

local function fail(place, message, ...)
  error(setmetatable({ place .. ": " .. message:format(...) }, Fault), 0)
end

local function expect(kind, place, value)
  if type(value) ~= kind then
    fail(place, "a %s expected, got %s", kind, value == nil and "nothing" or type(value))
  end
  return value
end

local COLUMN, TABLE, INDEX, RELATION =
  core.option_types "column", core.option_types "table", core.option_types "index",
  core.option_types "relation"

-- The options of one thing, checked; `known` says which there are, `more` which
-- are somebody else's.
local function options(place, from, known, more)
  local found = {}
  for key, value in pairs(from) do
    if type(key) ~= "number" and not (more and more[key]) then
      if not known[key] then
        fail(place, "unknown option %q", tostring(key))
      elseif known[key] ~= "any" then
        expect(known[key], place .. ", option " .. key, value)
      end
      found[key] = value
    end
  end
  return found
end

local function sorted_names(map)
  local names = {}
  for name in pairs(map) do
    if type(name) == "string" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- One thing or a list of things: a table with named fields is one.
local function each(place, value, add)
  if value == nil then
    return
  elseif type(value) == "string" or (type(value) == "table" and next(sorted_names(value))) then
    add(place, value)
    return
  end
  for i, item in ipairs(expect("table", place, value)) do
    add(("%s[%d]"):format(place, i), item)
  end
end

local function add_relation(builder, add, place, value, column)
  if type(value) == "string" then
    value = { value }
  end
  expect("table", place, value)
  local found = options(place, value, RELATION, { through = true })
  found.column = column or value.through or found.column
  add(builder, expect("string", place .. ", the table", value[1]), found)
end

local function add_column(builder, place, value, later)
  expect("table", place, value)
  local name = expect("string", place .. ", the name", value[1])
  place = place:gsub("%[%d+%]$", "") .. "." .. name
  if value[2] ~= nil then
    expect("string", place .. ", the type", value[2])
  end
  core.schema_builder_column(builder, name, value[2],
    options(place, value, COLUMN, { belongs_to = true }))
  if value.belongs_to ~= nil then
    later[#later + 1] = function()
      add_relation(builder, core.schema_builder_belongs_to, place, value.belongs_to, name)
    end
  end
end

local function add_index(builder, place, value)
  if type(value) == "string" then
    value = { value }
  end
  local columns = {}
  for i, column in ipairs(expect("table", place, value)) do
    columns[i] = expect("string", place, column)
  end
  core.schema_builder_index(builder, columns, options(place, value, INDEX))
end

-- { "a > 0", positive = "b > 0" }: with a name, or without.
local function add_checks(builder, place, checks)
  if type(checks) == "string" then
    checks = { checks }
  end
  for _, expression in ipairs(expect("table", place, checks)) do
    core.schema_builder_check(builder, nil, expect("string", place, expression))
  end
  for _, name in ipairs(sorted_names(checks)) do
    core.schema_builder_check(builder, name, expect("string", place, checks[name]))
  end
end

local PARTS = { indexes = true, checks = true, belongs_to = true, many_to_many = true }

local function add_table(builder, name, value, first)
  local later = {}
  core.schema_builder_table(builder, name, options(name, value, TABLE, PARTS))
  if value[first] == nil then
    fail(name, "a table needs a column")
  end
  for i = first, #value do
    add_column(builder, ("%s[%d]"):format(name, i), value[i], later)
  end
  for _, add in ipairs(later) do
    add()
  end
  each(name .. ".belongs_to", value.belongs_to, function(place, relation)
    add_relation(builder, core.schema_builder_belongs_to, place, relation)
  end)
  each(name .. ".many_to_many", value.many_to_many, function(place, relation)
    add_relation(builder, core.schema_builder_many_to_many, place, relation)
  end)
  each(name .. ".indexes", value.indexes, function(place, index)
    add_index(builder, place, index)
  end)
  if value.checks ~= nil then
    add_checks(builder, name .. ".checks", value.checks)
  end
end

local function declare(builder, model)
  for i, item in ipairs(model) do
    local place = ("model[%d]"):format(i)
    if type(item) == "string" then
      core.schema_builder_sql(builder, item)
    elseif object.kind(item) == "rowtide.Schema" then
      core.schema_builder_sql(builder, core.schema_print(item))
    else
      expect("table", place, item)
      add_table(builder, expect("string", place .. ", the name", item[1]), item, 2)
    end
  end
  for _, name in ipairs(sorted_names(model)) do
    add_table(builder, name, expect("table", name, model[name]), 1)
  end
end

--- A schema of a table that declares one. What is wrong with the table is
--- raised, what is wrong with its SQL is nil, a message and a code.
function schema_model.build(model, level)
  local builder, message, code = core.schema_builder_new()
  if not builder then
    return nil, message, code
  end
  local ok, fault = pcall(declare, builder, model)
  if not ok then
    core.release(builder)
    if getmetatable(fault) == Fault then
      error(fault[1], level + 1)
    end
    error(fault, 0)
  end
  local schema
  schema, message, code = core.schema_builder_finish(builder)
  core.release(builder)
  return schema, message, code
end

return schema_model
