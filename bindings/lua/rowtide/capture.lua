-- Record what a connection changes, and compare databases.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local stream = require "rowtide.stream"

local capture = {}

local Db = object.class_of "Db"
local Capture, metatable = object.class "Capture"

capture.OPTIONS = {
  tables = "any", filter = "function", schema = "string", patchset = "boolean",
  indirect = "boolean", measure = "boolean", memory_limit = "number",
}

local BLOCK = check.extend(capture.OPTIONS, { sink = "any" })

--- Options of a recording, checked; `tables` may be one name.
function capture.options(options, tables, known, level)
  level = level or 3
  options = check.options(options, known or capture.OPTIONS, level)
  tables = tables or options.tables
  return check.extend(options, { tables = tables and check.names("tables", tables, level) })
end

--- Start recording.
function Db:begin_capture(options)
  return core.capture_begin(self, capture.options(options))
end

--- Record what a function does: `db:capture({ "users" }, function() ... end)`.
--- An error in the function ends the recording without a result and goes on.
function Db:capture(tables, fn, options)
  if type(tables) == "function" then
    tables, fn, options = nil, tables, fn
  end
  check.type("function", "fn", fn)
  options = capture.options(options, tables, BLOCK)
  local sink = options.sink
  if sink ~= nil then
    stream.check_sink(sink)
  end
  local self_capture, message, code = core.capture_begin(self, options)
  if not self_capture then
    return nil, message, code
  end
  local ok, why = pcall(fn, self_capture)
  if not ok then
    core.release(self_capture)
    error(why, 0)
  end
  local result
  result, message, code = self_capture:finish(sink)
  core.release(self_capture)
  return result, message, code
end

function metatable.__tostring(self)
  if core.is_released(self) or core.capture_is_open(self) ~= 1 then
    return "rowtide.Capture(ended)"
  end
  return ("rowtide.Capture(%s)"):format(core.capture_is_empty(self) == 1 and "empty"
    or "recording")
end

--- Stop recording and make the changeset, or write it to a sink.
function Capture:finish(sink)
  if sink == nil then
    return core.capture_end(self)
  end
  stream.check_sink(sink)
  return stream.with_sink(sink, function(to)
    return core.capture_end_stream(self, to)
  end)
end

--- Make a changeset of what was recorded so far, and go on.
function Capture:peek()
  return core.capture_peek(self)
end

--- Stop recording without a result; what was written stays written.
function Capture:cancel()
  return core.capture_cancel(self)
end

--- Mark the changes that follow as indirect (true, or nothing) or direct.
function Capture:indirect(indirect)
  return core.capture_set_indirect(self, indirect == false and 0 or 1)
end

function Capture:pause()
  return core.capture_set_enabled(self, 0)
end

function Capture:resume()
  return core.capture_set_enabled(self, 1)
end

function Capture:is_open()
  return not core.is_released(self) and core.capture_is_open(self) == 1
end

function Capture:is_empty()
  return core.capture_is_empty(self) == 1
end

--- Bytes of memory that the recording takes.
function Capture:memory_used()
  return core.capture_memory_used(self)
end

--- An upper bound for the bytes of the changeset, with the option `measure`.
function Capture:size()
  local size, message, code = core.capture_size(self)
  if size == -1 then
    return nil, "the capture was begun without measure = true", "misuse"
  end
  return size, message, code
end

--- Tables that cannot be recorded: a list of { table =, reason = }.
function Capture:skipped()
  local count, message, code = core.capture_skipped_count(self)
  if not count then
    return nil, message, code
  end
  local skipped = {}
  for i = 1, count do
    local name, reason = core.capture_skipped(self, i - 1)
    skipped[i] = { table = name, reason = reason }
  end
  return skipped
end

local DIFF = {
  tables = "any", filter = "function", patchset = "boolean", progress = "function",
}
local DIFF_SINK = check.extend(DIFF, { sink = "any" })

local function diff_options(options, known)
  options = check.options(options, known, 3)
  local tables = options.tables
  return check.extend(options, { tables = tables and check.names("tables", tables, 3) })
end

--- Find what would turn the tables of one schema of this connection ("main",
--- "temp" or an attached one) into those of another.
function Db:diff(from_schema, to_schema, options)
  check.type("string", "from_schema", from_schema)
  check.type("string", "to_schema", to_schema)
  options = diff_options(options, DIFF_SINK)
  if options.sink == nil then
    return core.changeset_diff(self, from_schema, to_schema, options)
  end
  stream.check_sink(options.sink)
  return stream.with_sink(options.sink, function(to)
    return core.changeset_diff_stream(self, from_schema, to_schema, options, to)
  end)
end

--- Find what would turn one database file into another.
function capture.diff(from_path, to_path, options)
  check.type("string", "from_path", from_path)
  check.type("string", "to_path", to_path)
  return core.changeset_diff_files(from_path, to_path, diff_options(options, DIFF))
end

return capture
