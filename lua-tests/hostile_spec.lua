local rowtide = require "rowtide"
local helper = require "helper"

-- Whatever the bytes are: a changeset or "corrupt", and nothing in between.
local function parse(bytes)
  local change, message, code = rowtide.changeset(bytes)
  if not change then
    assert.is_string(message)
    assert.equal("corrupt", code)
    return nil
  end
  for _ in change:changes() do end
  change:to_json()
  return change
end

local function apply(bytes)
  local db = helper.database()
  local before = helper.dump(db, "users")
  local report, message, code = db:apply(helper.reader(bytes, 16))
  if not report then
    assert.is_string(message)
    assert.is_string(code)
    assert.equal(before, helper.dump(db, "users"))
  end
  assert.is_false(db:in_transaction())
  db:close()
end

describe("hostile bytes", function()
  local bytes = helper.change():bytes()

  it("cut anywhere are refused, or end between two changes", function()
    for size = 0, #bytes - 1 do
      local change = parse(bytes:sub(1, size))
      if change then
        assert.is_true(#change < 3)
      end
      apply(bytes:sub(1, size))
    end
  end)

  it("with any bit flipped do no harm", function()
    for at = 1, #bytes do
      for bit = 0, 7 do
        local byte = bytes:byte(at)
        local flipped = math.floor(byte / 2 ^ bit) % 2 == 0 and byte + 2 ^ bit or byte - 2 ^ bit
        local mutant = bytes:sub(1, at - 1) .. string.char(flipped) .. bytes:sub(at + 1)
        parse(mutant)
        if bit == at % 8 then
          apply(mutant)
        end
      end
    end
  end)

  it("that are famous are refused", function()
    local hex = "540401000000743100177e0072286565286565"
    local blob = hex:gsub("%x%x", function(pair)
      return string.char(tonumber(pair, 16))
    end)
    assert.is_nil(parse(blob))
    assert.is_nil(parse(("\255"):rep(1000)))
    assert.is_nil(parse "T")
    assert.is_nil(parse "T\1\1t")
    assert.is_nil(parse(("T\1\1t\0"):rep(50) .. "x"))
  end)

  it("are refused as rebase data and as JSON", function()
    local change = helper.change()
    for _, data in ipairs { "x", bytes:sub(1, 9), ("\255"):rep(64) } do
      local rebased, message = change:rebase(data)
      assert.is_nil(rebased)
      assert.is_string(message)
    end
    local json = assert(change:to_json())
    for size = 0, #json - 2, 3 do
      local back, message, code = rowtide.from_json(json:sub(1, size))
      assert.is_nil(back)
      assert.is_string(message)
      assert.is_string(code)
    end
  end)

  it("are found in a stream when they are reached", function()
    assert.has_error(function()
      for _ in rowtide.stream.iterate(helper.reader(bytes:sub(1, -2), 4)) do end
    end)
  end)
end)
