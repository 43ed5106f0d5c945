-- Moves a few extents of PROJ's database, from Lua.
local rowtide = require "rowtide"

local path, output = arg[1], arg[2]
local db = assert(rowtide.open(path))
local change = assert(db:capture({ "extent" }, function()
    assert(db:execute("UPDATE extent SET name = name || ?, east_lon = east_lon WHERE code < ?",
        { " (moved)", 1100 }))
    assert(db:execute("DELETE FROM extent WHERE code NOT IN (SELECT extent_code FROM usage) AND code % 2 = 0"))
end))
assert(change:write(output))
print("from Lua: " .. tostring(change))
db:close()
