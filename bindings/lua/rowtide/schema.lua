-- Schemas as values: declare, read, compare, and bring databases to them.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local schema_model = require "rowtide.schema_model"

local schema = {}

local Db = object.class_of "Db"
local Schema, schema_metatable = object.class "Schema"
local Difference, difference_metatable = object.class "Difference"
local Plan, plan_metatable = object.class "Plan"
object.class "SchemaBuilder"
object.class "PreflightHandle"
object.class "SchemaReportHandle"

-- ## What comes out of the library: tables of fields

local function place(item)
  if item.table and item.name and item.table ~= item.name then
    return item.table .. "." .. item.name
  end
  return item.table or item.name or ""
end

local function show(shape, title, text)
  local metatable = core.shape_class(shape)
  metatable.__name = "rowtide." .. title
  function metatable.__tostring(item)
    return ("rowtide.%s(%s)"):format(title, text(item))
  end
end

local function name_of(item)
  return item.name
end

show("table", "Table", name_of)
show("view", "View", name_of)
show("index", "Index", name_of)
show("trigger", "Trigger", name_of)
show("column", "Column", function(column)
  return column.sql or column.name
end)
show("change", "SchemaChange", function(change)
  return ("%s %s %s%s: %s"):format(change.operation, change.object, place(change),
    change.aspect ~= "whole" and ", " .. change.aspect or "", change.note or "")
end)
show("step", "PlanStep", function(step)
  return ("%s %s%s"):format(step.method, place(step), step.refused and ", refused" or "")
end)
show("finding", "Finding", function(finding)
  return finding.note or ("%s in %s"):format(finding.kind, finding.table)
end)
show("action", "SchemaAction", function(action)
  if action.sql then
    return (action.sql:gsub("\n.*", " ..."))
  end
  return ("%s %s: refused, %s"):format(action.object, place(action), action.reason or "")
end)

-- SQLite folds ASCII only.
local function fold(name)
  return (name:gsub("%u", string.lower))
end

-- columns.email is the column of that name, as columns[2] is the second one.
core.shape_class("list").__index = function(list, name)
  if type(name) ~= "string" then
    return nil
  end
  local folded = fold(name)
  for i = 1, #list do
    if list[i].name and fold(list[i].name) == folded then
      return list[i]
    end
  end
end

-- ## Schemas

--- A schema of a model: SQL, a table that declares tables, or a schema. `name`
--- is the argument's, for messages.
local function from_model(name, model, level)
  if object.kind(model) == "rowtide.Schema" then
    return model
  elseif type(model) == "string" then
    return core.schema_parse(model)
  elseif type(model) ~= "table" then
    check.refuse(name, "SQL, a table or a rowtide.Schema", model, level + 1)
  end
  local made, message, code = schema_model.build(model, level + 1)
  return made, message, code
end

--- Make a schema of SQL, or of a table that declares one.
function schema.make(model)
  local made, message, code = from_model("model", model, 2)
  return made, message, code
end

local READ = core.option_types "read"

--- Read the schema of the database, or of some of its tables.
function Db:schema(options)
  options = check.options(options, READ)
  if options.tables ~= nil then
    options = check.extend(options, { tables = check.names("option tables", options.tables) })
  end
  return core.schema_read(self, options)
end

local contents = setmetatable({}, { __mode = "k" })

local function contents_of(self)
  if core.is_released(self) then
    error("rowtide: the rowtide.Schema is closed", 3)
  end
  contents[self] = contents[self] or core.schema_contents_of(self)
  return contents[self]
end

--- The tables, in order, and by name: `schema:tables().users.columns.email`.
function Schema:tables()
  local found = contents_of(self)
  return found.tables
end

--- The views.
function Schema:views()
  local found = contents_of(self)
  return found.views
end

--- SQL that makes the same schema in an empty database.
function Schema:to_sql()
  return core.schema_print(self)
end

--- Everything that is in it, as JSON.
function Schema:to_json()
  return core.schema_json(self)
end

--- A picture of tables and the references between them.
function Schema:to_svg()
  return core.schema_svg(self)
end

-- { ["users.mail"] = "email" } as the hints that C reads.
local function hints(renames, level)
  if renames == nil then
    return nil
  end
  check.type("table", "option renames", renames, level + 1)
  local list = {}
  for old, new in pairs(renames) do
    if type(old) ~= "string" or type(new) ~= "string" then
      error("option renames: from old names to new ones expected", level + 1)
    end
    list[#list + 1] = old .. "=" .. new
  end
  table.sort(list)
  return list
end

local function with_hints(options, known, level)
  options = check.options(options, known, level + 1)
  if options.renames == nil then
    return options
  end
  return check.extend(options, { renames = hints(options.renames, level + 1) })
end

local DIFF = core.option_types "diff"

--- What has to change for this schema to become another one.
function Schema:diff(to, options)
  options = with_hints(options, DIFF, 2)
  local other, message, code = from_model("to", to, 2)
  if not other then
    return nil, message, code
  end
  return core.schema_diff(self, other, options)
end

function schema_metatable.__eq(a, b)
  if core.is_released(a) or core.is_released(b) then
    return core.is_released(a) and core.is_released(b)
  end
  local difference, message = core.schema_diff(a, b, {})
  if not difference then
    error("rowtide: " .. message, 2)
  end
  return #core.schema_difference_changes(difference).changes == 0
end

function schema_metatable.__tostring(self)
  if core.is_released(self) then
    return "rowtide.Schema(closed)"
  end
  local names = {}
  for i, item in ipairs(contents_of(self).tables) do
    names[i] = item.name
  end
  return ("rowtide.Schema(%s)"):format(table.concat(names, ", "))
end

-- ## Differences

--- The changes, table by table.
function Difference:changes()
  local found, message, code = core.schema_difference_changes(self)
  if not found then
    return nil, message, code
  end
  return found.changes
end

--- Whether nothing differs.
function Difference:is_empty()
  return #core.schema_difference_changes(self).changes == 0
end

--- The SQL of a migration, to be reviewed: what adds is active, the rest is
--- commented out with its reason.
function Difference:up()
  return core.schema_generate(self, core.SCHEMA_UP)
end

--- The SQL that undoes the active part of up.
function Difference:down()
  return core.schema_generate(self, core.SCHEMA_DOWN)
end

function difference_metatable.__len(self)
  return #core.schema_difference_changes(self).changes
end

-- ## Reports

local Report = { __name = "rowtide.SchemaReport" }

function Report.__tostring(report)
  return ("rowtide.SchemaReport(%d done, %d refused)"):format(#report.done, #report.refused)
end

-- A list of what was done or refused, and the two apart.
local function read_report(handle, message, code)
  if not handle then
    return nil, message, code
  end
  local report = core.schema_report_actions(handle).actions
  local done, refused = {}, {}
  for _, action in ipairs(report) do
    local list = action.done and done or refused
    list[#list + 1] = action
  end
  report.done, report.refused = done, refused
  core.release(handle)
  return setmetatable(report, Report)
end

local AUTO_MIGRATE = core.option_types "auto_migrate"

--- Add what the database lacks; nothing is dropped, renamed or retyped.
function Db:auto_migrate(model, options)
  options = check.options(options, AUTO_MIGRATE)
  local made, message, code = from_model("model", model, 2)
  if not made then
    return nil, message, code
  end
  return read_report(core.schema_auto_migrate(self, made, options))
end

-- ## Plans

local PLAN = core.option_types "plan"
local RUN = { progress = "function" }

--- Plan how the database becomes what the model says; nothing is written.
function Db:plan(model, options)
  options = with_hints(options, PLAN, 2)
  local made, message, code = from_model("model", model, 2)
  if not made then
    return nil, message, code
  end
  local plan
  plan, message, code = core.schema_plan(self, made, options)
  if not plan then
    return nil, message, code
  end
  return object.keep(plan, self)
end

--- The steps, in order.
function Plan:steps()
  local found, message, code = core.plan_steps_of(self)
  if not found then
    return nil, message, code
  end
  return found.steps
end

--- Look for rows that are in the way; nothing is written.
function Plan:preflight(options)
  options = check.options(options, RUN)
  local handle, message, code = core.plan_preflight(object.kept(self), self, options)
  if not handle then
    return nil, message, code
  end
  local findings = core.preflight_findings(handle).findings
  core.release(handle)
  return findings
end

--- Do it, in one transaction.
function Plan:apply(options)
  options = check.options(options, RUN)
  return read_report(core.plan_apply(object.kept(self), self, options))
end

--- All of it for people: each step, and what it runs.
function Plan:to_text()
  local steps, message, code = self:steps()
  if not steps then
    return nil, message, code
  end
  local lines = {}
  for _, step in ipairs(steps) do
    lines[#lines + 1] = ("%s %s: %s%s"):format(step.method, place(step), step.reason or "",
      step.refused and " (refused: " .. step.refused .. ")" or "")
    for _, statement in ipairs(step.statements) do
      lines[#lines + 1] = "    " .. statement .. ";"
    end
  end
  return table.concat(lines, "\n")
end

function plan_metatable.__len(self)
  return #core.plan_steps_of(self).steps
end

local REBUILD = check.extend(PLAN, RUN)

--- Rebuild a table so that a CREATE TABLE statement defines it.
function Db:rebuild(sql, options)
  check.type("string", "sql", sql)
  options = with_hints(options, REBUILD, 2)
  return read_report(core.schema_rebuild(self, sql, options, options))
end

return schema
