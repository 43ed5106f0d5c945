-- One-way replication: numbered changesets through a directory.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local apply = require "rowtide.apply"
local recorder = require "rowtide.recorder"

local Db = object.class_of "Db"
local Primary = object.class "Primary"
local Replica = object.class "Replica"

local CALLS = { begin = core.primary_begin, rollback = core.primary_rollback }

--- Open a database as primary of a directory.
function Db:primary(directory)
  return core.primary_open(self, check.type("string", "directory", directory))
end

--- Do, commit and publish: `primary:record({ "users" }, fn)`. Returns the number
--- of the changeset, or 0 if nothing changed.
function Primary:record(tables, fn, options)
  if type(tables) == "function" then
    tables, fn, options = nil, tables, fn
  end
  check.type("function", "fn", fn)
  return recorder.run(self, CALLS, (recorder.options(options, tables, {})), fn, function()
    return core.primary_commit(self)
  end)
end

--- Publish a changeset that was captured elsewhere.
function Primary:append(changeset)
  return core.primary_append(self, object.check("Changeset", "changeset", changeset))
end

--- Write files that are still missing. Returns how many.
function Primary:publish()
  return core.primary_publish(self)
end

--- The number of the last changeset.
function Primary:position()
  return core.primary_position(self)
end

--- Open a database as replica of a directory.
function Db:replica(directory)
  return core.replica_open(self, check.type("string", "directory", directory))
end

local PULL = check.extend(apply.OPTIONS, { limit = "number" })

--- Apply what is new, at most `limit` changesets. Returns how many.
function Replica:pull(options)
  options = apply.options(options, PULL)
  return core.replica_pull(self, options.limit or 0, options)
end

--- The number of the last changeset applied.
function Replica:position()
  return core.replica_position(self)
end

--- Say that this database already holds everything up to a number.
function Replica:set_position(number)
  return core.replica_set_position(self, number)
end
