-- Checks of arguments: what is wrong is raised where the caller wrote it.

local check = {}

-- Level 3 is the caller of the method that checks.
local CALLER = 3

local function describe(value)
  local kind = type(value)
  if kind == "userdata" or kind == "table" then
    local text = tostring(value)
    return text:match "^rowtide%.%a+" or kind
  end
  return kind == "nil" and "nothing" or kind
end

local function refuse(name, expected, value, level)
  error(("%s: %s expected, got %s"):format(name, expected, describe(value)), level + 1)
end

check.refuse = refuse

function check.type(kind, name, value, level)
  if type(value) ~= kind then
    refuse(name, "a " .. kind, value, (level or CALLER) + 1)
  end
  return value
end

function check.string(name, value)
  return check.type("string", name, value, CALLER + 1)
end

function check.callable(name, value)
  return check.type("function", name, value, CALLER + 1)
end

function check.optional(kind, name, value)
  if value ~= nil then
    check.type(kind, name, value, CALLER + 1)
  end
  return value
end

-- A list of names; one name is a list of one.
function check.names(name, value, level)
  level = (level or CALLER) + 1
  if type(value) == "string" then
    return { value }
  end
  if type(value) ~= "table" then
    refuse(name, "a list of names", value, level)
  end
  for i = 1, #value do
    if type(value[i]) ~= "string" then
      refuse(("%s[%d]"):format(name, i), "a name", value[i], level)
    end
  end
  return value
end

-- An option that nobody knows is a typing error, and is not passed over.
function check.options(options, known, level)
  level = (level or CALLER) + 1
  if options == nil then
    return {}
  end
  if type(options) ~= "table" then
    refuse("options", "a table", options, level)
  end
  for key, value in pairs(options) do
    local kind = known[key]
    if not kind then
      error(("unknown option %q"):format(tostring(key)), level)
    end
    if kind ~= "any" and type(value) ~= kind then
      refuse("option " .. key, "a " .. kind, value, level)
    end
  end
  return options
end

-- A copy with more fields, so that a caller's table is never written to.
function check.extend(options, more)
  local copy = {}
  for key, value in pairs(options) do
    copy[key] = value
  end
  for key, value in pairs(more) do
    copy[key] = value
  end
  return copy
end

return check
