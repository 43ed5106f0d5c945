-- An audit log: who changed what and when, kept in the same database.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local values = require "rowtide.values"
local recorder = require "rowtide.recorder"

local Db = object.class_of "Db"
local AuditLog = object.class "AuditLog"

local ENTRY = { author = "string", label = "string", time = "string" }
local CALLS = { begin = core.audit_begin, rollback = core.audit_rollback }

--- Open the audit log of a database.
function Db:audit_log()
  local log, message, code = core.audit_open(self)
  if not log then
    return nil, message, code
  end
  return object.keep(log, self)
end

--- Do and log: `log:entry({ author = "ada", label = "import" }, fn)`. Returns
--- the id of the entry, or 0 if nothing changed. An error in the function undoes
--- what it did and goes on.
function AuditLog:entry(options, fn)
  if type(options) == "function" then
    options, fn = nil, options
  end
  check.type("function", "fn", fn)
  local recording, entry = recorder.options(options, nil, ENTRY)
  return recorder.run(self, CALLS, recording, fn, function()
    return core.audit_commit(self, entry)
  end)
end

--- Log a changeset that was captured elsewhere.
function AuditLog:append(changeset, entry)
  object.check("Changeset", "changeset", changeset)
  return core.audit_append(self, changeset, check.options(entry, ENTRY))
end

--- Iterate over the entries, the oldest first: id, time, author, label, and the
--- size of the changeset in bytes.
function AuditLog:entries()
  return object.kept(self):rows("SELECT id, time, author, label, length(changeset) AS bytes"
    .. " FROM rowtide_audit ORDER BY id")
end

local CHANGES = { entry = "any", table = "string" }

--- Iterate over single changes, with old and new values as JSON, of one entry or
--- one table or all.
function AuditLog:changes(options)
  options = check.options(options, CHANGES)
  return object.kept(self):rows("SELECT c.*, e.time, e.author, e.label"
    .. " FROM rowtide_audit_change c JOIN rowtide_audit e ON e.id = c.entry"
    .. " WHERE (:entry IS NULL OR c.entry = :entry)"
    .. " AND (:name IS NULL OR c.table_name = :name COLLATE NOCASE)"
    .. " ORDER BY c.entry, c.position", {
      entry = options.entry or values.null,
      name = options.table or values.null,
    })
end

--- The changeset of an entry.
function AuditLog:changeset(id)
  return core.audit_changeset(self, id)
end

local PRUNE = { before = "string", keep = "number" }

--- Delete entries older than `before`, or all but the newest `keep`. Returns how
--- many.
function AuditLog:prune(options)
  options = check.options(options, PRUNE)
  if (options.before == nil) == (options.keep == nil) then
    error("prune: either before or keep expected", 2)
  end
  return core.audit_prune(self, options.before, options.keep or 0)
end
