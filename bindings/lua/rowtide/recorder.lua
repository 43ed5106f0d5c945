-- What audit log, undo log and primary have in common: a block that is recorded
-- in a transaction of its own.

local check = require "rowtide.check"
local capture = require "rowtide.capture"

local recorder = {}

-- The block's error goes on once everything is undone.
local function finish(self, calls, commit, ok, ...)
  if ok then
    return commit(self, ...)
  end
  calls.rollback(self)
  error((...), 0)
end

--- Record a function: `calls` has begin and rollback, `commit` ends it well.
function recorder.run(self, calls, options, fn, commit)
  local ok, message, code = calls.begin(self, options)
  if not ok then
    return nil, message, code
  end
  return finish(self, calls, commit, pcall(fn))
end

--- Split options into those of the recording and the others.
function recorder.options(options, tables, known)
  options = check.options(options, check.extend(capture.OPTIONS, known), 3)
  local recording, others = {}, {}
  for key, value in pairs(options) do
    local to = known[key] and others or recording
    to[key] = value
  end
  return capture.options(recording, tables, nil, 4), others
end

return recorder
