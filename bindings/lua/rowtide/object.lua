-- The metatables of handles, which C makes and the rooms fill with methods.

local core = require "rowtide.core"
local check = require "rowtide.check"

local object = {}

local classes = {}

local function close(self)
  return core.release(self)
end

--- The class of a kind of handle: its methods, and its metatable.
function object.class(name)
  local metatable = core.metatable("rowtide." .. name)
  local class = { close = close }
  metatable.__index = class
  metatable.__close = function(self)
    class.close(self)
  end
  metatable.__tostring = function(self)
    return "rowtide." .. name .. (core.is_released(self) and "(closed)" or "")
  end
  classes[name] = class
  return class, metatable
end

--- A class of tables, which has no handle of its own.
function object.plain_class(name)
  local class = {}
  classes[name] = class
  return class, { __index = class, __name = "rowtide." .. name }
end

--- A class that another file made, for more methods.
function object.class_of(name)
  return classes[name] or (object.class(name))
end

--- The name of the kind of handle that a value is, or nil.
function object.kind(value)
  return type(value) == "userdata" and core.kind(value) or nil
end

--- Raise at the caller of the method unless `value` is such a handle.
function object.check(name, argument, value, level)
  if object.kind(value) ~= "rowtide." .. name then
    check.refuse(argument, "a rowtide." .. name, value, (level or 2) + 1)
  end
  return value
end

--- For each class in turn: every method as a function of the module.
function object.export(module, prefixes)
  for name, prefix in pairs(prefixes) do
    for method, call in pairs(classes[name]) do
      if module[prefix .. method] == nil then
        module[prefix .. method] = call
      end
    end
  end
end

-- What a handle reads from must live as long as it does.
local kept = setmetatable({}, { __mode = "k" })

function object.keep(handle, ...)
  kept[handle] = { ... }
  return handle
end

--- What was kept first.
function object.kept(handle)
  return kept[handle] and kept[handle][1]
end

return object
