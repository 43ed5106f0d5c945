-- SQL values that plain Lua values do not tell apart.

local core = require "rowtide.core"
local check = require "rowtide.check"

local values = {}

local function named(name)
  local metatable = core.metatable("rowtide." .. name)
  metatable.__name = "rowtide." .. name
  return metatable
end

--- SQL NULL, for which a nil in a table leaves no trace.
values.null = core.null()
named("Null").__tostring = function()
  return "null"
end

local Blob = named "Blob"
Blob.__index = {}

function Blob.__tostring(blob)
  return blob[1]
end

function Blob.__len(blob)
  return #blob[1]
end

function Blob.__eq(a, b)
  return a[1] == b[1]
end

function Blob.__concat(a, b)
  return tostring(a) .. tostring(b)
end

function Blob.__index.bytes(blob)
  return blob[1]
end

--- Bytes to be stored as a BLOB; a plain string is TEXT.
function values.blob(bytes)
  return setmetatable({ check.type("string", "blob", bytes) }, Blob)
end

local Real = named "Real"

function Real.__tostring(real)
  return tostring(real[1])
end

--- A number to be stored as REAL even if it is whole: Lua 5.1 and LuaJIT do
--- not tell 3.0 from 3.
function values.real(number)
  return setmetatable({ check.type("number", "real", number) }, Real)
end

local Integer = named "Integer"

function Integer.__tostring(integer)
  return tostring(integer[1])
end

--- An integer given in decimal digits: Lua 5.1 and LuaJIT have none beyond
--- 2^53.
function values.integer(digits)
  if type(digits) == "number" then
    digits = ("%.0f"):format(digits)
  end
  check.type("string", "integer", digits)
  if not digits:match "^%-?%d+$" then
    error("integer: decimal digits expected, got \"" .. digits .. "\"", 2)
  end
  return setmetatable({ digits }, Integer)
end

--- "integer", "real", "text", "blob", "null", or nil if it is no SQL value.
function values.type(value)
  local kind = type(value)
  if kind == "string" then
    return "text"
  elseif kind == "number" then
    if math.type then
      return math.type(value) == "integer" and "integer" or "real"
    end
    return value % 1 == 0 and "integer" or "real"
  elseif value == values.null then
    return "null"
  end
  local metatable = kind == "table" and getmetatable(value)
  return metatable == Blob and "blob" or metatable == Real and "real"
    or metatable == Integer and "integer" or nil
end

return values
