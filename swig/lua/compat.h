/* What Lua 5.1 and LuaJIT call differently. */
#ifndef ROWTIDE_LUA_COMPAT_H
#define ROWTIDE_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define get_length lua_objlen
#define set_uservalue lua_setfenv
#else
#define get_length lua_rawlen
#define set_uservalue lua_setuservalue
#endif

/* The largest whole number up to which every one is a double. */
#define EXACT_LIMIT ((int64_t)1 << 53)

#endif
