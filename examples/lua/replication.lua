-- One database follows another through a directory of files.

local rowtide = require "rowtide"

local directory = os.tmpname()
os.remove(directory)

local function open_stock()
  local db = assert(rowtide.open ":memory:")
  assert(db:exec "CREATE TABLE stock(item TEXT PRIMARY KEY, amount INTEGER)")
  return db
end

local shop, office = open_stock(), open_stock()
local primary = assert(shop:primary(directory))

local function deliver(item, amount)
  return assert(primary:record({ "stock" }, function()
    assert(shop:execute("INSERT INTO stock VALUES(?, ?)", { item, amount }))
  end))
end

print("changeset " .. deliver("tea", 20))
print("changeset " .. deliver("rice", 5))

local replica = assert(office:replica(directory))
assert(replica:pull { limit = 1 } == 1) -- stop anywhere, go on later
assert(replica:pull() == 1)
assert(replica:pull() == 0)
assert(replica:position() == primary:position())

for row in office:rows "SELECT * FROM stock ORDER BY item" do
  print(row.item, row.amount)
end
assert(office:value "SELECT sum(amount) FROM stock" == 25)
os.execute("rm -r '" .. directory .. "'")
