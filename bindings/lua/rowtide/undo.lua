-- Undo and redo, step by step, kept in the same database.

local core = require "rowtide.core"
local check = require "rowtide.check"
local object = require "rowtide.object"
local apply = require "rowtide.apply"
local recorder = require "rowtide.recorder"

local Db = object.class_of "Db"
local UndoLog = object.class "UndoLog"

local OPEN = { limit = "number", byte_limit = "number" }
local CALLS = { begin = core.undo_begin, rollback = core.undo_rollback }

--- Open the undo log of a database. It keeps `limit` steps, 100 if not said.
function Db:undo_log(options)
  local log, message, code = core.undo_open(self, check.options(options, OPEN))
  if not log then
    return nil, message, code
  end
  return object.keep(log, self)
end

--- Do something that can be undone: `undo:step("rename", fn)`. Returns the id of
--- the step, or 0 if nothing changed.
function UndoLog:step(label, fn, options)
  if type(label) == "function" then
    label, fn, options = nil, label, fn
  end
  check.optional("string", "label", label)
  check.type("function", "fn", fn)
  return recorder.run(self, CALLS, (recorder.options(options, nil, {})), fn, function()
    return core.undo_commit(self, label)
  end)
end

-- The label of the step, or false if there was none to take.
local function moved(label, message, code)
  if message then
    return nil, message, code
  end
  return label or false
end

--- Take back the newest step. Returns its label, or false if there is none.
function UndoLog:undo(options)
  return moved(core.undo_undo(self, apply.options(options)))
end

--- Do the step again that was undone last. Returns as undo.
function UndoLog:redo(options)
  return moved(core.undo_redo(self, apply.options(options)))
end

--- How many steps can be undone, and how many redone.
function UndoLog:counts()
  return core.undo_counts(self)
end

--- All steps, the oldest first: id, label, time, bytes, undone.
function UndoLog:steps()
  local steps = {}
  while true do
    local step, message, code = core.undo_step_at(self, #steps)
    if message then
      return nil, message, code
    elseif not step then
      return steps
    end
    steps[#steps + 1] = step
  end
end

--- Forget all steps.
function UndoLog:clear()
  return core.undo_clear(self)
end
