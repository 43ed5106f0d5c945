-- Databases that change apart and merge later.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local stream = require "rowtide.stream"
local values = require "rowtide.values"

local crdt = {}

local Db = object.class_of "Db"
local Crdt, metatable = object.plain_class "Crdt"
local Pull, pull_metatable = object.class "Pull"
object.class "MergeHandle"
object.class "MergeReportHandle"

function metatable.__tostring(self)
  return ("rowtide.Crdt(%s)"):format(tostring(self.db))
end

--- The tables of a database that take part in merges: what is changed in one
--- database and in another comes together in both.
function Db:crdt()
  local ok, message, code = core.crdt_open(self)
  if not ok then
    return nil, message, code
  end
  return setmetatable({ db = self }, metatable)
end

local function is_crdt(value)
  return type(value) == "table" and getmetatable(value) == metatable
end

-- The connection behind a Db or a Crdt.
local function connection(name, value, level)
  if is_crdt(value) then
    return value.db
  end
  object.check("Db", name, value, (level or 2) + 1)
  return value
end

--- Let a table take part.
function Crdt:enable(name)
  return core.crdt_enable(self.db, check.type("string", "table", name))
end

--- Take a table out, forgetting its versions and deletions.
function Crdt:disable(name)
  return core.crdt_disable(self.db, check.type("string", "table", name))
end

function Crdt:is_enabled(name)
  return core.crdt_is_enabled(self.db, check.type("string", "table", name))
end

-- A list of what a function makes of the rows of a query.
local function list(db, sql, each, params)
  local stmt, message, code = core.stmt_prepare(db, sql)
  if not stmt then
    return nil, message, code
  end
  core.stmt_bind_all(stmt, params or {})
  local out = {}
  local row
  repeat
    row, message, code = core.stmt_row(stmt, true)
    out[#out + 1] = row and each(row) or nil
  until not row
  core.release(stmt)
  if message then
    return nil, message, code
  end
  return out
end

--- The names of the tables that take part.
function Crdt:tables()
  return list(self.db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
    function(row)
      return core.crdt_is_enabled(self.db, row[1]) and row[1] or nil
    end)
end

local function end_alter(self, name, ok, ...)
  if not ok then
    core.crdt_rollback_alter(self.db, name)
    error((...), 0)
  end
  local done, message, code = core.crdt_commit_alter(self.db, name)
  if not done then
    core.crdt_rollback_alter(self.db, name)
    return nil, message, code
  elseif select("#", ...) == 0 then
    return true
  end
  return ...
end

--- Alter the columns of a table in a function; an error undoes what it did, and
--- goes on. Returns what the function returns, or true.
function Crdt:alter(name, fn)
  check.type("string", "table", name)
  check.type("function", "fn", fn)
  local ok, message, code = core.crdt_begin_alter(self.db, name)
  if not ok then
    return nil, message, code
  end
  return end_alter(self, name, pcall(fn, self.db))
end

--- The 16 bytes that name this database among its peers.
function Crdt:site_id()
  return core.crdt_site_id(self.db)
end

--- The version of the last committed change, 0 if there is none.
function Crdt:version()
  return core.crdt_version(self.db)
end

local PULL = {
  since = "number", until_ = "number", exclude = "string", tables = "any",
  only_local = "boolean",
}
local PAYLOAD = check.extend(PULL, { chunk_size = "number", sink = "any" })

local function pull_options(options, known)
  options = check.options(options, known, 3)
  if options.tables == nil then
    return options
  end
  return check.extend(options, { tables = check.names("option tables", options.tables, 3) })
end

local function step(pull)
  if core.is_released(pull) then
    return nil
  end
  local change, message = core.crdt_pull_next(pull)
  if change then
    return change
  end
  core.release(pull)
  if message then
    error("rowtide: " .. message, 2)
  end
end

--- The next change, or nil at the end; what goes wrong is raised.
Pull.next = step
pull_metatable.__call = step

--- Iterate over changes in the order of version and sequence.
function Crdt:pull(options)
  options = pull_options(options, PULL)
  local pull, message = core.crdt_pull_open(self.db, options)
  if not pull then
    error("rowtide: " .. message, 2)
  end
  return step, object.keep(pull, self.db), nil, pull
end

--- The same as compact bytes: a string, or written to the option `sink`.
function Crdt:payload(options)
  options = pull_options(options, PAYLOAD)
  local sink = options.sink
  local function write(to)
    return core.crdt_pull_payload(self.db, options, to)
  end
  if sink == nil then
    return stream.collect(write)
  end
  stream.check_sink(sink)
  return stream.with_sink(sink, write)
end

--- The values of a packed primary key, as a list with their number as `n`.
function Crdt:key(pk)
  check.type("string", "pk", pk)
  local sql = "SELECT cell FROM crsql_unpack_columns WHERE package = ?"
  local key, message, code = list(self.db, sql, function(row)
    return row[1]
  end, { values.blob(pk) })
  if not key then
    return nil, message, code
  end
  key.n = #key
  return key
end

local Report = { __name = "rowtide.MergeReport" }
Report.__index = Report

function Report.__tostring(report)
  return ("rowtide.MergeReport(%d applied, %d ignored)"):format(report.applied, report.ignored)
end

-- The report as plain tables; the handle is not needed any more.
local function read_report(handle, message, code)
  if not handle then
    return nil, message, code
  end
  local report = {
    count = core.crdt_report_count(handle), applied = core.crdt_report_applied(handle),
    ignored = core.crdt_report_ignored(handle), version = core.crdt_report_version(handle),
    tables = {},
  }
  for i = 1, core.crdt_report_table_count(handle) do
    local name, applied, ignored = core.crdt_report_table(handle, i - 1)
    report.tables[name] = { table = name, applied = applied, ignored = ignored }
  end
  core.release(handle)
  return setmetatable(report, Report)
end

local function merge_payload(self, source)
  return read_report(stream.with_source(source, function(from)
    return core.crdt_merge_payload(self.db, from)
  end))
end

-- Merge what an iterator gives.
local function add_all(merge, next_change)
  for change in next_change do
    local ok, message, code = core.crdt_merge_add(merge, change)
    if not ok then
      return nil, message, code
    end
  end
  return core.crdt_merge_end(merge)
end

local function end_merge(merge, ok, ...)
  core.release(merge)
  if not ok then
    error((...), 0)
  end
  return read_report(...)
end

local function merge_changes(self, next_change)
  local merge, message, code = core.crdt_merge_begin(self.db)
  if not merge then
    return nil, message, code
  end
  return end_merge(merge, pcall(add_all, merge, next_change))
end

local function each(changes)
  local i = 0
  return function()
    i = i + 1
    return changes[i]
  end
end

-- A function gives changes or bytes; its first value says which.
local function merge_function(self, fn, state)
  local first = fn(state)
  local function again()
    local value = first
    if value == nil then
      return fn(state)
    end
    first = nil
    return value
  end
  if first == nil then
    return merge_changes(self, each {})
  elseif type(first) == "table" then
    return merge_changes(self, again)
  end
  return merge_payload(self, again)
end

local function merge(self, changes, state, level)
  if type(changes) == "string" then
    return merge_payload(self, each { changes })
  elseif type(changes) == "function" then
    return merge_function(self, changes, state)
  elseif type(changes) == "table" and getmetatable(changes) == nil then
    return merge_changes(self, each(changes))
  elseif object.kind(changes) == "rowtide.Pull" then
    return merge_changes(self, function()
      return step(changes)
    end)
  elseif object.kind(changes) == "rowtide.Changeset" then
    check.refuse("changes", "changes of a pull or a payload", changes, level + 1)
  end
  stream.check_source(changes, level + 1)
  return merge_payload(self, changes)
end

--- Merge changes, all or nothing: a list of them, what pull returns, a payload
--- as a string, or a source of one.
function Crdt:merge(changes, state)
  local report, message, code = merge(self, changes, state, 2)
  return report, message, code
end

--- The same without a Crdt.
function Db:merge(changes, state)
  local report, message, code = merge({ db = self }, changes, state, 2)
  return report, message, code
end

--- Bring what is new in another database into this one.
function Crdt:fetch(from)
  return read_report(core.crdt_fetch(self.db, connection("from", from)))
end

--- Bring two databases to the same rows.
function crdt.sync(a, b)
  local first, second = connection("a", a), connection("b", b)
  return core.crdt_sync(first, second)
end

--- This database and another: rowtide.sync.
function Crdt:sync(other)
  return core.crdt_sync(self.db, connection("other", other))
end

-- Cursors of applications have other tags or events.
local PEERS = [[
  SELECT site_id, max(CASE event WHEN 0 THEN version ELSE 0 END),
    max(CASE event WHEN 2 THEN version ELSE 0 END)
  FROM crsql_tracked_peers WHERE tag = 0 AND event IN (0, 2) GROUP BY site_id ORDER BY site_id
]]

--- The peers: site_id, the version up to which its changes were received, and
--- the version of this database that it acknowledged.
function Crdt:peers()
  return list(self.db, PEERS, function(row)
    return { site_id = row[1], received = row[2], acknowledged = row[3] }
  end)
end

--- How far this database has come in pulling from a peer, 0 if never.
function Crdt:peer_version(site_id)
  return core.crdt_peer_version(self.db, check.type("string", "site_id", site_id))
end

--- Remember how far it has come; never goes back.
function Crdt:set_peer_version(site_id, version)
  check.type("string", "site_id", site_id)
  return core.crdt_peer_set_version(self.db, site_id, version)
end

--- Forget deletions up to a version, or those that all peers are known to have.
--- Returns how many.
function Crdt:collect(version)
  return core.crdt_collect(self.db, version or 0)
end

--- Take over a database of cr-sqlite 0.16. Returns how many tables.
function Crdt:convert()
  return core.crdt_convert(self.db)
end

return crdt
