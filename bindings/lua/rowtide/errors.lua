-- The names that are returned as the third value of a failure, and what each of
-- them means.

local core = require "rowtide.core"

local errors = {}

for code = -1, -1000, -1 do
  local name = core.error_name(code)
  if name == "unknown" then
    break
  end
  errors[name] = core.error_text(code)
end

return errors
