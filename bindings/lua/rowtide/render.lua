-- Changesets as JSON, SQL, text and HTML. Each takes `names`, a connection that
-- column names come from, and `sink`; without a sink the result is a string.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local stream = require "rowtide.stream"

local render = {}

local Changeset = object.class_of "Changeset"

local OPTIONS = {
  names = "userdata", color = "boolean", compact = "boolean", limit = "number",
  title = "string", sink = "any",
}

local function renderer(write)
  return function(source, options)
    options = check.options(options, OPTIONS)
    if options.names then
      object.check("Db", "option names", options.names)
    end
    stream.check_source(source)
    if options.sink ~= nil then
      stream.check_sink(options.sink)
    end
    return stream.with_source(source, function(from)
      local function run(to)
        return write(from, options, to)
      end
      if options.sink == nil then
        return stream.collect(run)
      end
      return stream.with_sink(options.sink, run)
    end)
  end
end

--- As JSON, from which from_json makes the same bytes again.
render.to_json = renderer(core.changeset_to_json)
--- As the SQL statements that do the same; needs `names`.
render.to_sql = renderer(core.changeset_to_sql)
--- As a listing for people, with `color` for terminals.
render.to_text = renderer(core.changeset_to_text)
--- As a HTML page with old and new values side by side.
render.to_html = renderer(core.changeset_to_html)

for name, write in pairs(render) do
  Changeset[name] = write
  stream[name] = write
end

--- Make a changeset of JSON.
function render.from_json(json)
  return core.changeset_from_json(check.type("string", "json", json))
end

return render
