-- Bytes from and to functions, files and changesets, a chunk at a time.
--
-- A source is a changeset, a function that returns the next string and nil at
-- the end, an open file of Lua, or rowtide.file(path). A sink is a function
-- that takes a string, an open file, or rowtide.file(path).

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"

local stream = {}

local CHUNK = 65536

local File = {}
File.__name = "rowtide.File"

function File.__tostring(file)
  return ("rowtide.File(%q)"):format(file.path)
end

--- A file by its path, as source or sink. As a sink it takes its place when it
--- is complete.
function stream.file(path)
  return setmetatable({ path = check.type("string", "path", path) }, File)
end

local function is_file(value)
  return type(value) == "table" and getmetatable(value) == File
end

function stream.check_source(source, level)
  if object.kind(source) ~= "rowtide.Changeset" and type(source) ~= "function"
    and not is_file(source) and io.type(source) ~= "file" then
    check.refuse("source", "a changeset, function, file or rowtide.file(path)", source,
      (level or 2) + 1)
  end
end

function stream.check_sink(sink, level)
  if type(sink) ~= "function" and not is_file(sink) and io.type(sink) ~= "file" then
    check.refuse("sink", "a function, file or rowtide.file(path)", sink, (level or 2) + 1)
  end
end

-- A handle to be released, or nil, message, code.
local function open_source(source)
  if object.kind(source) == "rowtide.Changeset" then
    local handle, message, code = core.source_changeset(source)
    return handle and object.keep(handle, source), message, code
  elseif type(source) == "function" then
    return core.source_callback(source)
  elseif is_file(source) then
    return core.source_file(source.path)
  end
  return core.source_callback(function()
    local chunk, message = source:read(CHUNK)
    if message then
      error(message, 0)
    end
    return chunk
  end)
end

local function open_sink(sink)
  if type(sink) == "function" then
    return core.sink_callback(sink)
  elseif is_file(sink) then
    return core.sink_file(sink.path)
  end
  return core.sink_callback(function(chunk)
    return sink:write(chunk)
  end)
end

-- Release the handles, and hand on what a protected call gave.
local function finish(handles, ok, result, ...)
  for i = #handles, 1, -1 do
    core.release(handles[i])
  end
  if not ok then
    error(result, 0)
  end
  return result, ...
end

--- Run a function with an open source.
function stream.with_source(source, run)
  local handle, message, code = open_source(source)
  if not handle then
    return nil, message, code
  end
  return finish({ handle }, pcall(run, handle))
end

--- Run a function with an open sink, which is complete if it succeeds.
function stream.with_sink(sink, run)
  local handle, message, code = open_sink(sink)
  if not handle then
    return nil, message, code
  end
  return finish({ handle }, pcall(function()
    local ok, why, name = run(handle)
    if not ok then
      return nil, why, name
    end
    return core.sink_close(handle)
  end))
end

--- Run a function with both.
function stream.with_both(source, sink, run)
  return stream.with_source(source, function(from)
    return stream.with_sink(sink, function(to)
      return run(from, to)
    end)
  end)
end

--- Run a function with a sink, and return what it wrote as a string.
function stream.collect(run)
  local chunks = {}
  local ok, message, code = stream.with_sink(function(chunk)
    chunks[#chunks + 1] = chunk
  end, run)
  if not ok then
    return nil, message, code
  end
  return table.concat(chunks)
end

--- Choose tables by a list of names or a function, for a filter.
function stream.table_filter(tables, level)
  if type(tables) == "function" then
    return tables
  end
  local chosen = {}
  for _, name in ipairs(check.names("tables", tables, (level or 2) + 1)) do
    chosen[name:lower()] = true
  end
  return function(name)
    return chosen[name:lower()]
  end
end

local function step(iter)
  local change, message = core.changeset_iter_next(iter)
  if change then
    return change
  end
  core.release(iter)
  if message then
    error("rowtide: " .. message, 2)
  end
end

local Changes, metatable = object.class "Changes"

--- The next change, or nil at the end; what is wrong with the bytes is raised.
Changes.next = step
metatable.__call = step

--- `for` over an iterator handle; closed at the end of the loop (5.4), at the
--- end of the changes, or by the garbage collector.
function stream.loop(iter)
  return step, iter, nil, iter
end

local ITERATE = { invert = "boolean" }

--- Iterate over a source in bounded memory.
function stream.iterate(source, options)
  options = check.options(options, ITERATE)
  stream.check_source(source)
  local handle, message = open_source(source)
  local iter
  if handle then
    iter, message = core.changeset_iter_stream(handle, options.invert and core.ITER_INVERT or 0)
  end
  if not iter then
    error("rowtide: " .. message, 2)
  end
  return stream.loop(object.keep(iter, handle))
end

--- Write the inverse of a source to a sink.
function stream.invert(source, sink)
  stream.check_source(source)
  stream.check_sink(sink)
  return stream.with_both(source, sink, core.changeset_invert_stream)
end

--- Write the changes of the chosen tables to a sink.
function stream.filter(source, tables, sink)
  stream.check_source(source)
  stream.check_sink(sink)
  local choose = stream.table_filter(tables)
  return stream.with_both(source, sink, function(from, to)
    return core.changeset_filter_stream(from, choose, to)
  end)
end

--- Write a source, rebased onto what was applied, to a sink.
function stream.rebase(source, onto, sink)
  stream.check_source(source)
  stream.check_sink(sink)
  local data = type(onto) == "table" and onto.rebase or onto
  check.type("string", "report", data)
  return stream.with_both(source, sink, function(from, to)
    return core.changeset_rebase_stream(from, data, to)
  end)
end

--- Write several sources as one to a sink.
function stream.concat(sources, sink)
  check.type("table", "sources", sources)
  for i = 1, #sources do
    stream.check_source(sources[i])
  end
  stream.check_sink(sink)
  local handles = {}
  for i = 1, #sources do
    local handle, message, code = open_source(sources[i])
    if not handle then
      finish(handles, true)
      return nil, message, code
    end
    handles[i] = handle
  end
  return finish(handles, pcall(stream.with_sink, sink, function(to)
    return core.changeset_concat_stream(handles, to)
  end))
end

return stream
