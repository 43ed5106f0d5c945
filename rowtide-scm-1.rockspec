rockspec_format = "3.0"
package = "rowtide"
version = "scm-1"
source = {
  url = "git+https://github.com/rowtide/rowtide.git",
}
description = {
  summary = "Change control for SQLite",
  detailed = [[
    Record what code changed in a SQLite database, look at it, ship it,
    merge it and take it back. Needs CMake 3.25, SWIG 4.4 and the system's
    libsqlite3 (3.40 or later, with sessions) and zlib with their headers.
  ]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1, < 5.5",
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUA_LIBDIR = "$(LIBDIR)",
    LUA_LUADIR = "$(LUADIR)",
    ROWTIDE_LUA = "ON",
    ROWTIDE_PYTHON = "OFF",
    ROWTIDE_CLI = "OFF",
    ROWTIDE_EXTENSION = "OFF",
    ROWTIDE_TESTS = "OFF",
    ROWTIDE_INSTALL = "OFF",
  },
}
