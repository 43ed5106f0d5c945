-- Rowtide: change control for SQLite.
--
-- Failures that can be expected are nil, a message and the name of an error;
-- wrong use raises an error, and so do operators and iterators, which have no
-- other way.

local core = require "rowtide.core"
local object = require "rowtide.object"
local values = require "rowtide.values"
local stream = require "rowtide.stream"
local db = require "rowtide.db"
local changeset = require "rowtide.changeset"
local capture = require "rowtide.capture"
local render = require "rowtide.render"
require "rowtide.apply"
require "rowtide.audit"
require "rowtide.undo"
require "rowtide.replication"
local crdt = require "rowtide.crdt"
local schema = require "rowtide.schema"

local ok, message = core.check_runtime()
if not ok then
  error("rowtide: " .. message, 0)
end

local rowtide = {
  _VERSION = core.version(),
  null = values.null,
  blob = values.blob,
  real = values.real,
  integer = values.integer,
  type = values.type,
  open = db.open,
  adopt = db.adopt,
  changeset = changeset.parse,
  read = changeset.read,
  concat = changeset.concat,
  builder = changeset.builder,
  from_json = render.from_json,
  diff = capture.diff,
  sync = crdt.sync,
  schema = schema.make,
  file = stream.file,
  errors = require "rowtide.errors",
  stream = {
    iterate = stream.iterate,
    invert = stream.invert,
    concat = stream.concat,
    filter = stream.filter,
    rebase = stream.rebase,
    to_json = stream.to_json,
    to_sql = stream.to_sql,
    to_text = stream.to_text,
    to_html = stream.to_html,
  },
}

-- db:exec(sql) is rowtide.db_exec(db, sql) as well, and so on.
object.export(rowtide, {
  Db = "db_", Changeset = "changeset_", Changes = "changes_", Builder = "builder_",
  Capture = "capture_", AuditLog = "audit_log_", UndoLog = "undo_log_", Primary = "primary_",
  Replica = "replica_", Crdt = "crdt_", Pull = "pull_", Schema = "schema_",
  Difference = "difference_", Plan = "plan_",
})

return rowtide
