-- What the specs share: scratch databases and files.

local rowtide = require "rowtide"

local helper = {}

helper.SCHEMA = [[
  CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB);
  CREATE TABLE orders(id INTEGER PRIMARY KEY, user INTEGER REFERENCES users(id), item TEXT);
]]

helper.ROWS = [[
  INSERT INTO users VALUES(1, 'Ann', 1.5, NULL), (2, 'Bob', 2.5, x'0102');
  INSERT INTO orders VALUES(10, 1, 'tea'), (11, 2, 'milk');
]]

--- A database in memory with two tables and a few rows.
function helper.database(sql)
  local db = assert(rowtide.open ":memory:")
  assert(db:exec(helper.SCHEMA .. helper.ROWS .. (sql or "")))
  return db
end

--- Capture what SQL does.
function helper.captured(db, sql, tables, options)
  return assert(db:capture(tables, function()
    assert(db:exec(sql))
  end, options))
end

--- A changeset with all three kinds, and the database as it was before.
function helper.change()
  return helper.captured(helper.database(), [[
    UPDATE users SET name = 'Ada' WHERE id = 1;
    INSERT INTO users VALUES(3, 'Cy', 0.25, x'00ff');
    DELETE FROM orders WHERE id = 11;
  ]])
end

--- All rows of a table as one string.
function helper.dump(db, name)
  local lines = {}
  for row in db:tuples("SELECT * FROM " .. name .. " ORDER BY 1") do
    for i = 1, row.n do
      row[i] = tostring(row[i])
    end
    lines[#lines + 1] = table.concat(row, "|")
  end
  return table.concat(lines, "\n")
end

local made = {}

--- A path that nothing is at yet; whatever comes there is removed by clean().
function helper.path(suffix)
  local path = os.tmpname()
  os.remove(path)
  path = path .. (suffix or "")
  made[#made + 1] = path
  return path
end

function helper.clean()
  collectgarbage()
  for _, path in ipairs(made) do
    os.execute("rm -rf '" .. path .. "' '" .. path .. "-wal' '" .. path .. "-shm'")
  end
  made = {}
end

function helper.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

function helper.slurp(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

--- A reader that gives a string in pieces.
function helper.reader(bytes, size)
  local at = 1
  return function()
    local piece = bytes:sub(at, at + size - 1)
    at = at + size
    return piece ~= "" and piece or nil
  end
end

--- A writer, and a function that gives what was written.
function helper.writer()
  local chunks = {}
  return function(chunk)
    chunks[#chunks + 1] = chunk
  end, function()
    return table.concat(chunks)
  end
end

--- The error that a function raises.
function helper.raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "an error was expected")
  return err
end

return helper
