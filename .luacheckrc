-- One source serves 5.1, 5.3, 5.4 and LuaJIT: what all have, plus what a file
-- may look for.
std = "min"
max_line_length = 100
exclude_files = { "build" }
read_globals = {
  "jit",
  "utf8",
  "unpack",
  "warn",
  package = { fields = { "searchpath" } },
  string = { fields = { "pack", "unpack" } },
  table = { fields = { "pack", "unpack", "move" } },
  math = { fields = { "type", "tointeger", "maxinteger", "mininteger" } },
}

files["lua-tests"] = { std = "min+busted" }
files["**/*_spec.lua"] = { std = "min+busted" }
-- Declarations have no bodies.
files["**/*.d.lua"] = { ignore = { "21.", "241", "631" } }
