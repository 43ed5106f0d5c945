-- Undo and redo that survive closing the file.

local rowtide = require "rowtide"

local path = os.tmpname()
local db = assert(rowtide.open(path))
assert(db:exec [[
  CREATE TABLE shapes(id INTEGER PRIMARY KEY, colour TEXT);
  INSERT INTO shapes VALUES(1, 'red');
]])
local undo = assert(db:undo_log { limit = 50 })

local function colour()
  return db:value "SELECT colour FROM shapes"
end

local function paint(name)
  assert(undo:step("paint it " .. name, function()
    assert(db:execute("UPDATE shapes SET colour = ?", { name }))
  end))
end

paint "green"
paint "blue"
print("undo: " .. assert(undo:undo()))
assert(colour() == "green")

undo:close()
db:close()
db = assert(rowtide.open(path))
undo = assert(db:undo_log())

print("redo: " .. assert(undo:redo()))
assert(colour() == "blue")
while undo:undo() do end
assert(colour() == "red")

for _, step in ipairs(assert(undo:steps())) do
  print(step.label, step.undone and "can be redone" or "can be undone")
end
db:close()
os.remove(path)
