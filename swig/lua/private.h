/* What the files of the Lua module share among themselves. */
#ifndef ROWTIDE_LUA_PRIVATE_H
#define ROWTIDE_LUA_PRIVATE_H

#include "compat.h"
#include "support.h"

/* One for each Lua universe. */
typedef struct rowtide_lua_state {
    lua_State *L;  /* the thread whose call is running */
    int callbacks; /* registry reference: callback -> table, weak values */
    int error;     /* registry reference: a table, [1] is what was raised */
    int failed;    /* a callback raised, and nobody has seen it yet */
    int anchor;    /* stack index of what the next new handle keeps */
} rowtide_lua_state;

typedef struct rowtide_lua_handle {
    void *pointer;
    const rowtide_lua_kind *kind;
    rowtide_lua_state *state;
    int busy; /* callbacks that run inside calls on this handle */
} rowtide_lua_handle;

/* The state of this universe, with L as the running thread. */
rowtide_lua_state *rowtide_lua_enter(lua_State *L);

/* The handle at `index` if it is one of ours, of any kind; else NULL. */
rowtide_lua_handle *rowtide_lua_any_handle(lua_State *L, int index);

#endif
