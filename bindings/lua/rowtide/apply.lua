-- Apply a changeset, and decide about conflicts.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local stream = require "rowtide.stream"

local apply = {}

local Db = object.class_of "Db"

apply.OPTIONS = {
  on_conflict = "any", tables = "any", filter = "function", change_filter = "function",
  progress = "function", invert = "boolean", ignore_noop = "boolean", fk_no_action = "boolean",
  no_triggers = "boolean", skip_indirect = "boolean", skip_misfits = "boolean",
}

local KINDS = {
  data = true, not_found = true, conflict = true, constraint = true, foreign_key = true,
}
local ACTIONS = { omit = true, replace = true, abort = true }

local function check_action(name, action, level)
  if not ACTIONS[action] then
    error(("%s: \"omit\", \"replace\" or \"abort\" expected, got %s"):format(name,
      type(action) == "string" and ("%q"):format(action) or type(action)), level + 1)
  end
end

local function check_policy(policy, level)
  if policy == nil or type(policy) == "function" then
    return
  elseif type(policy) ~= "table" then
    check_action("on_conflict", policy, level + 1)
    return
  end
  for kind, action in pairs(policy) do
    if not KINDS[kind] then
      error(("on_conflict: no conflict is called %q"):format(tostring(kind)), level + 1)
    end
    check_action("on_conflict." .. kind, action, level + 1)
  end
end

--- Options of an apply, checked; `tables` becomes a filter.
function apply.options(options, known)
  local level = 3
  options = check.options(options, known or apply.OPTIONS, level)
  check_policy(options.on_conflict, level)
  if options.tables == nil then
    return options
  end
  if options.filter then
    error("options tables and filter exclude each other", level)
  end
  return check.extend(options, { filter = stream.table_filter(options.tables, level) })
end

local Report = { __name = "rowtide.Report" }
Report.__index = Report

function Report.__tostring(report)
  return ("rowtide.Report(%d applied, %d omitted, %d replaced, %d skipped)"):format(
    report.applied, report.omitted, report.replaced, report.skipped)
end

-- The report as plain tables; the handle is not needed any more.
local function read_report(handle)
  local report = core.report_total(handle)
  report.tables = {}
  report.rebase = core.report_rebase(handle)
  for i = 1, core.report_table_count(handle) do
    local line = core.report_table_at(handle, i - 1)
    report.tables[line.table] = line
  end
  core.release(handle)
  return setmetatable(report, Report)
end

--- Apply a changeset, or a source in bounded memory: all of it or nothing.
function Db:apply(source, options)
  options = apply.options(options)
  local handle, message, code
  stream.check_source(source)
  if object.kind(source) == "rowtide.Changeset" then
    handle, message, code = core.changeset_apply(self, source, options)
  else
    handle, message, code = stream.with_source(source, function(from)
      return core.changeset_apply_stream(self, from, options)
    end)
  end
  if not handle then
    return nil, message, code
  end
  return read_report(handle)
end

return apply
