-- Checks of arguments: what is wrong is raised where the caller wrote it.

local check = {}

-- A level is what error() would take in the function that checks: 2, which is
-- the default, is its caller. No check is called in tail position, for that
-- would take a level away.

local function describe(value)
  local kind = type(value)
  if kind == "userdata" or kind == "table" then
    local text = tostring(value)
    return text:match "^rowtide%.%a+" or kind
  end
  return kind == "nil" and "nothing" or kind
end

function check.refuse(name, expected, value, level)
  error(("%s: %s expected, got %s"):format(name, expected, describe(value)), (level or 2) + 1)
end

function check.type(kind, name, value, level)
  if type(value) ~= kind then
    check.refuse(name, "a " .. kind, value, (level or 2) + 1)
  end
  return value
end

function check.optional(kind, name, value, level)
  if value ~= nil then
    check.type(kind, name, value, (level or 2) + 1)
  end
  return value
end

-- A list of names; one name is a list of one.
function check.names(name, value, level)
  level = (level or 2) + 1
  if type(value) == "string" then
    return { value }
  elseif type(value) ~= "table" then
    check.refuse(name, "a list of names", value, level)
  end
  for i = 1, #value do
    if type(value[i]) ~= "string" then
      check.refuse(("%s[%d]"):format(name, i), "a name", value[i], level)
    end
  end
  return value
end

-- One of some words, or a list of such.
local function check_words(name, words, value, level)
  for _, word in ipairs(type(value) == "table" and value or { value }) do
    local found = false
    for _, known in ipairs(words) do
      found = found or word == known
    end
    if not found then
      error(("%s: \"%s\" expected, got %s"):format(name, table.concat(words, "\" or \""),
        type(word) == "string" and ("%q"):format(word) or describe(word)), level + 1)
    end
  end
end

-- An option that nobody knows is a typing error, and is not passed over.
function check.options(options, known, level)
  level = (level or 2) + 1
  if options == nil then
    return {}
  end
  if type(options) ~= "table" then
    check.refuse("options", "a table", options, level)
  end
  for key, value in pairs(options) do
    local kind = known[key]
    if not kind then
      error(("unknown option %q"):format(tostring(key)), level)
    end
    if type(kind) == "table" then
      check_words("option " .. key, kind, value, level)
    elseif kind ~= "any" and type(value) ~= kind then
      check.refuse("option " .. key, "a " .. kind, value, level)
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
