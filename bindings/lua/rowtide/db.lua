-- Connections and small SQL.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"

local db = {}

local Db, metatable = object.class "Db"
object.class "Stmt"

function metatable.__tostring(self)
  if core.db_is_open(self) ~= 1 then
    return "rowtide.Db(closed)"
  end
  local path = core.db_path(self)
  return ("rowtide.Db(%q)"):format(path ~= "" and path or ":memory:")
end

local OPEN = { read_only = "boolean", must_exist = "boolean", busy_timeout = "number" }

--- Open a database file, ":memory:" or a "file:" URI.
function db.open(path, options)
  check.type("string", "path", path)
  return core.db_open(path, check.options(options, OPEN))
end

--- Use a connection that another module opened, given as a light userdata with
--- its `sqlite3 *`.
function db.adopt(pointer)
  check.type("userdata", "pointer", pointer)
  if object.kind(pointer) or io.type(pointer) then
    check.refuse("pointer", "a light userdata", pointer)
  end
  return core.db_adopt(pointer)
end

--- Close the connection; again does no harm.
function Db:close()
  if core.is_released(self) then
    return true
  end
  return core.db_close(self)
end

function Db:is_open()
  return core.db_is_open(self) == 1
end

function Db:path()
  return core.db_path(self)
end

--- The `sqlite3 *`, as a light userdata, for other modules in C.
function Db:pointer()
  return core.db_pointer(self)
end

--- Make the call that is running stop.
function Db:interrupt()
  return core.db_interrupt(self)
end

--- Run one or more statements without parameters, throwing rows away.
function Db:exec(sql)
  return core.db_exec(self, check.type("string", "sql", sql))
end

-- A statement with its parameters, or nil, message, code.
local function prepare(self, sql, params, level)
  check.type("string", "sql", sql, level)
  check.optional("table", "params", params, level)
  local stmt, message, code = core.stmt_prepare(self, sql)
  if not stmt then
    return nil, message, code
  end
  local bound
  bound, message, code = core.stmt_bind_all(stmt, params or {})
  if not bound then
    core.release(stmt)
    return nil, message, code
  end
  return stmt
end

--- Run one statement with parameters, a list or by name, and say how many rows
--- it changed.
function Db:execute(sql, params)
  local stmt, message, code = prepare(self, sql, params, 3)
  if not stmt then
    return nil, message, code
  end
  local row
  repeat
    row, message, code = core.stmt_step(stmt)
  until row ~= 1
  core.release(stmt)
  if not row then
    return nil, message, code
  end
  return core.db_changes(self)
end

local function step(by_position)
  return function(stmt)
    local row, message = core.stmt_row(stmt, by_position)
    if row then
      return row
    end
    core.release(stmt)
    if message then
      error("rowtide: " .. message, 2)
    end
  end
end

local step_by_name, step_by_position = step(false), step(true)

local function loop(self, sql, params, next_row)
  local stmt, message = prepare(self, sql, params, 4)
  if not stmt then
    error("rowtide: " .. message, 3)
  end
  return next_row, object.keep(stmt, self), nil, stmt
end

--- Iterate over rows as tables by column name. What goes wrong is raised: a
--- `for` has no other place for it.
function Db:rows(sql, params)
  local next_row, stmt, _, closed = loop(self, sql, params, step_by_name)
  return next_row, stmt, nil, closed
end

--- Iterate over rows as lists, with the number of columns as `n`.
function Db:tuples(sql, params)
  local next_row, stmt, _, closed = loop(self, sql, params, step_by_position)
  return next_row, stmt, nil, closed
end

-- The first row; false if there is none.
local function first(self, sql, params, by_position)
  local stmt, message, code = prepare(self, sql, params, 4)
  if not stmt then
    return nil, message, code
  end
  local row
  row, message, code = core.stmt_row(stmt, by_position)
  core.release(stmt)
  if not row and message then
    return nil, message, code
  end
  return row or false
end

--- The first row by column name; false if there is none.
function Db:row(sql, params)
  local row, message, code = first(self, sql, params, false)
  return row, message, code
end

--- The first column of the first row; false if there is none.
function Db:value(sql, params)
  local row, message, code = first(self, sql, params, true)
  if not row then
    return row, message, code
  end
  return row[1]
end

--- Rows that the last INSERT, UPDATE or DELETE changed.
function Db:changes()
  return core.db_changes(self)
end

--- The rowid of the last row inserted.
function Db:last_insert_rowid()
  return core.db_last_insert_rowid(self)
end

function Db:in_transaction()
  return core.db_in_transaction(self) == 1
end

local BEGIN = {
  deferred = "BEGIN DEFERRED", immediate = "BEGIN IMMEDIATE", exclusive = "BEGIN EXCLUSIVE",
}

local OUTER = { commit = "COMMIT", rollback = "ROLLBACK" }
local INNER = {
  begin = "SAVEPOINT rowtide_block", commit = "RELEASE rowtide_block",
  rollback = "ROLLBACK TO rowtide_block; RELEASE rowtide_block",
}

local function end_transaction(self, sql, ok, ...)
  if ok then
    local done, message, code = core.db_exec(self, sql.commit)
    if done then
      if select("#", ...) == 0 then
        return true
      end
      return ...
    end
    core.db_exec(self, sql.rollback)
    return nil, message, code
  end
  core.db_exec(self, sql.rollback)
  error((...), 0)
end

--- Run a function in a transaction (a savepoint inside another one), which an
--- error rolls back; the error goes on. Returns what the function returns, or
--- true.
function Db:transaction(fn, mode)
  check.type("function", "fn", fn)
  local begin = BEGIN[mode or "immediate"]
  if not begin then
    error("mode: \"deferred\", \"immediate\" or \"exclusive\" expected", 2)
  end
  local nested = core.db_in_transaction(self) == 1
  local ok, message, code = core.db_exec(self, nested and INNER.begin or begin)
  if not ok then
    return nil, message, code
  end
  return end_transaction(self, nested and INNER or OUTER, pcall(fn, self))
end

return db
