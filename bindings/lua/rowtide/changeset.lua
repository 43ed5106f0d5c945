-- Changesets as values.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local stream = require "rowtide.stream"
local values = require "rowtide.values"

local changeset = {}

local Changeset, metatable = object.class "Changeset"

local function result(value, message)
  if not value then
    error("rowtide: " .. message, 3)
  end
  return value
end

function metatable.__tostring(self)
  if core.is_released(self) then
    return "rowtide.Changeset(closed)"
  end
  local tables, changes = core.changeset_table_count(self), core.changeset_change_count(self)
  return ("rowtide.%s(%d %s, %d %s)"):format(
    core.changeset_is_patchset(self) == 1 and "Patchset" or "Changeset",
    tables, tables == 1 and "table" or "tables",
    changes, changes == 1 and "change" or "changes")
end

function metatable.__len(self)
  return (result(core.changeset_change_count(self)))
end

function metatable.__eq(a, b)
  if core.is_released(a) or core.is_released(b) then
    return core.is_released(a) and core.is_released(b)
  end
  return core.changeset_bytes(a) == core.changeset_bytes(b)
end

function metatable.__unm(self)
  return (result(core.changeset_invert(self)))
end

function metatable.__concat(a, b)
  object.check("Changeset", "left of ..", a)
  object.check("Changeset", "right of ..", b)
  return (result(core.changeset_concat { a, b }))
end

--- Check bytes and make a changeset of them.
function changeset.parse(bytes)
  return core.changeset_parse(check.type("string", "bytes", bytes))
end

--- Read a source whole, or the file of that path.
function changeset.read(source)
  if type(source) == "string" then
    source = stream.file(source)
  end
  stream.check_source(source)
  return stream.with_source(source, core.changeset_read)
end

--- Join a list of changesets, which come one after the other, into one.
function changeset.concat(list)
  check.type("table", "changesets", list)
  for i = 1, #list do
    object.check("Changeset", ("changesets[%d]"):format(i), list[i])
  end
  return core.changeset_concat(list)
end

--- Its bytes, in the format of SQLite's session extension.
function Changeset:bytes()
  return core.changeset_bytes(self)
end

--- How many bytes.
function Changeset:size()
  return core.changeset_size(self)
end

--- How many changes, as `#` says.
function Changeset:count()
  return core.changeset_change_count(self)
end

function Changeset:is_empty()
  local count, message, code = core.changeset_change_count(self)
  if not count then
    return nil, message, code
  end
  return count == 0
end

function Changeset:is_patchset()
  local patchset, message, code = core.changeset_is_patchset(self)
  if not patchset then
    return nil, message, code
  end
  return patchset == 1
end

--- The names of the tables, in order of first appearance.
function Changeset:table_names()
  local count, message, code = core.changeset_table_count(self)
  if not count then
    return nil, message, code
  end
  local names = {}
  for i = 1, count do
    names[i] = core.changeset_table_name(self, i - 1)
  end
  return names
end

--- By table name: how many inserts, updates, deletes, and indirect ones.
function Changeset:tables()
  local names, message, code = self:table_names()
  if not names then
    return nil, message, code
  end
  local counts = {}
  for i, name in ipairs(names) do
    counts[name] = core.changeset_table_counts(self, i - 1)
  end
  return counts
end

local ITERATE = { invert = "boolean" }

--- Iterate: `for change in changeset:changes() do`.
function Changeset:changes(options)
  options = check.options(options, ITERATE)
  local iter, message = core.changeset_iter_new(self, options.invert and core.ITER_INVERT or 0)
  if not iter then
    error("rowtide: " .. message, 2)
  end
  return stream.loop(iter)
end

--- The changeset that undoes this one, as `-` makes it.
function Changeset:invert()
  return core.changeset_invert(self)
end

--- This one, and then another, as `..` makes it.
function Changeset:concat(other)
  object.check("Changeset", "other", other)
  return core.changeset_concat { self, other }
end

--- Only the changes of the tables in a list, or that a function chooses.
function Changeset:filter(tables)
  return core.changeset_filter(self, stream.table_filter(tables))
end

--- Rebase local changes onto remote ones: `onto` is the report of their apply.
function Changeset:rebase(onto)
  local data = type(onto) == "table" and onto.rebase or onto
  return core.changeset_rebase(self, check.type("string", "report", data))
end

--- Write the bytes to a sink, or to the file of that path.
function Changeset:write(sink)
  if type(sink) == "string" then
    sink = stream.file(sink)
  end
  stream.check_sink(sink)
  return stream.with_both(self, sink, function(from, to)
    return core.changeset_filter_stream(from, function()
      return true
    end, to)
  end)
end

local Builder = object.class "Builder"

local BUILD = { patchset = "boolean" }

--- Put a changeset together row by row.
function changeset.builder(options)
  options = check.options(options, BUILD)
  return core.changeset_builder_new(options.patchset and 1 or 0)
end

-- A byte for each column: 0, or its place in the primary key.
local function key_bytes(columns, key, level)
  local places = {}
  for i = 1, columns do
    places[i] = "\0"
  end
  for place, column in ipairs(key) do
    if type(column) ~= "number" or not places[column] then
      error("primary_key: column numbers from 1 to " .. columns .. " expected", level)
    end
    places[column] = string.char(place)
  end
  return table.concat(places)
end

-- A copy of a row with its length, once its values are known to be some. Where
-- Lua has no number for one, an iterator says in `exact` what it was.
local function counted(row, n, level)
  if row == nil then
    return nil
  end
  local copy = { n = n }
  for i = 1, n do
    local value = row[i]
    local exact = row.exact and row.exact[i]
    if exact and exact[1] == value then
      value = exact
    end
    if value ~= nil and type(value) ~= "boolean" and not values.type(value) then
      check.refuse(("column %d"):format(i), "a SQL value", value, level)
    end
    copy[i] = value
  end
  return copy
end

-- Rows have holes, so their length is their `n` or their last column.
local function width(...)
  local last = 0
  for i = 1, select("#", ...) do
    local row = select(i, ...)
    for column in pairs(row or {}) do
      local n = column == "n" and row.n or column
      last = type(n) == "number" and math.max(last, n) or last
    end
  end
  return last
end

local KINDS = { delete = core.CHANGE_DELETE, insert = core.CHANGE_INSERT,
  update = core.CHANGE_UPDATE }

--- Add a change in the form in which an iterator gives it.
function Builder:add(change)
  check.type("table", "change", change)
  check.type("string", "change.table", change.table)
  check.type("table", "change.primary_key", change.primary_key)
  if not KINDS[change.kind] then
    check.refuse("change.kind", "\"insert\", \"update\" or \"delete\"", change.kind, 2)
  end
  local old, new = change.old, change.new
  check.optional("table", "change.old", old)
  check.optional("table", "change.new", new)
  local n = change.n or width(old, new)
  check.type("number", "change.n", n)
  return core.changeset_builder_add(self, change.table, KINDS[change.kind],
    change.indirect and 1 or 0, key_bytes(n, change.primary_key, 3), counted(old, n, 3),
    counted(new, n, 3))
end

local function add(self, kind, name, primary_key, old, new)
  local n = width(old, new)
  return core.changeset_builder_add(self, name, KINDS[kind], 0, key_bytes(n, primary_key, 4),
    counted(old, n, 4), counted(new, n, 4))
end

local function check_row(name, primary_key)
  check.type("string", "table", name, 3)
  check.type("table", "primary_key", primary_key, 3)
end

--- Add an INSERT into a table; the key as a list of column numbers.
function Builder:insert(name, primary_key, new)
  check_row(name, primary_key)
  check.type("table", "new", new)
  local ok, message, code = add(self, "insert", name, primary_key, nil, new)
  return ok, message, code
end

--- Add an UPDATE. Columns that do not change are nil in both rows, but for the
--- key, which is in the old one.
function Builder:update(name, primary_key, old, new)
  check_row(name, primary_key)
  check.type("table", "old", old)
  check.type("table", "new", new)
  local ok, message, code = add(self, "update", name, primary_key, old, new)
  return ok, message, code
end

--- Add a DELETE.
function Builder:delete(name, primary_key, old)
  check_row(name, primary_key)
  check.type("table", "old", old)
  local ok, message, code = add(self, "delete", name, primary_key, old)
  return ok, message, code
end

--- Make the changeset. The builder starts again from empty.
function Builder:finish()
  return core.changeset_builder_finish(self)
end

return changeset
