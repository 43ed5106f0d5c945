/* C callbacks that run Lua functions. Whatever such a function does, including
 * running out of memory, must not jump over SQLite's frames: everything is
 * inside a protected call, and what was raised waits until the wrapper of the
 * outer call raises it again. */
#include "private.h"

#include <string.h>

/* Kept by a table: [1] the function, [2] this, [3] bytes that a reader gave
 * and nobody took yet. */
typedef struct lua_callback {
    rowtide_lua_state *state;
    const char *what; /* for messages: "on_conflict" */
    size_t taken;     /* of the bytes at [3] */
} lua_callback;

/* One run of a callback: what goes in and what comes out. */
typedef struct lua_run {
    lua_callback *callback;
    const void *payload;
    void *data;
    size_t size;
    int result;
} lua_run;

void *rowtide_lua_callback(lua_State *L, int index, const char *what)
{
    lua_callback *callback;
    rowtide_lua_state *state = rowtide_lua_enter(L);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, 1);
    callback = lua_newuserdata(L, sizeof(*callback));
    memset(callback, 0, sizeof(*callback));
    callback->state = state;
    callback->what = what;
    lua_rawseti(L, -2, 2);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->callbacks);
    lua_pushlightuserdata(L, callback);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return callback;
}

void rowtide_lua_anchor(lua_State *L)
{
    rowtide_lua_enter(L)->anchor = lua_gettop(L);
}

/* The handles that the running call got must outlive its callbacks. */
static void mark_arguments(lua_State *L, int change)
{
    int i;
    int top = lua_gettop(L);
    for (i = 1; i <= top && i <= 8; i++) {
        rowtide_lua_handle *handle = rowtide_lua_any_handle(L, i);
        if (handle)
            handle->busy += change;
    }
}

static void keep_error(rowtide_lua_state *state, lua_State *L)
{
    /* The slot exists, so this takes no memory. */
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->error);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
    state->failed = 1;
}

static int protected_call(lua_State *L, lua_CFunction body, lua_run *run)
{
#if LUA_VERSION_NUM < 502
    return lua_cpcall(L, body, run);
#else
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, run);
    return lua_pcall(L, 1, 0, 0);
#endif
}

/* The state is kept apart: a function that closes its own iterator may take
 * the callback with it. */
static int run_callback(lua_run *run, lua_CFunction body)
{
    rowtide_lua_state *state = run->callback->state;
    lua_State *L = state->L;
    int status;
    if (!lua_checkstack(L, 12))
        return rowtide_error_set(ROWTIDE_ENOMEM, "the Lua stack is full");
    mark_arguments(L, 1);
    status = protected_call(L, body, run);
    state->L = L;
    if (status)
        keep_error(state, L);
    mark_arguments(L, -1);
    if (!status)
        return run->result;
    return rowtide_error_set(ROWTIDE_EUSER, "a Lua callback raised an error");
}

/* Push the table that keeps the callback, and its function. */
static lua_run *start_run(lua_State *L)
{
    lua_run *run = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->callback->state->callbacks);
    lua_pushlightuserdata(L, run->callback);
    lua_rawget(L, -2);
    lua_rawgeti(L, -1, 1);
    return run;
}

/* Copy what fits of the bytes at [3] of the table at `index`. */
static void hand_over(lua_State *L, int index, lua_run *run)
{
    lua_callback *callback = run->callback;
    size_t size;
    const char *bytes;
    lua_rawgeti(L, index, 3);
    bytes = lua_tolstring(L, -1, &size);
    size -= callback->taken;
    if (run->size < size)
        size = run->size;
    memcpy(run->data, bytes + callback->taken, size);
    callback->taken += size;
    if (callback->taken == get_length(L, -1)) {
        lua_pushnil(L);
        lua_rawseti(L, index, 3);
        callback->taken = 0;
    }
    run->size = size;
}

static int read_body(lua_State *L)
{
    lua_run *run = start_run(L);
    int keeper = lua_gettop(L) - 1;
    lua_rawgeti(L, keeper, 3);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_call(L, 0, 1);
        if (lua_isnil(L, -1)) {
            run->size = 0;
            return 0;
        }
        if (lua_type(L, -1) != LUA_TSTRING)
            return luaL_error(L, "a reader returned a %s, not a string or nil",
                              luaL_typename(L, -1));
        if (get_length(L, -1) == 0) {
            run->size = 0;
            return 0;
        }
        lua_rawseti(L, keeper, 3);
    }
    hand_over(L, keeper, run);
    return 0;
}

int rowtide_lua_read(void *data, size_t *size, void *user)
{
    lua_run run = {user, NULL, data, *size, 0};
    int rc = run_callback(&run, read_body);
    *size = rc < 0 ? 0 : run.size;
    return rc;
}

/* A writer goes on unless it returns false; with a second value it can say
 * why, as file:write() does by nil and a message. */
static int write_body(lua_State *L)
{
    lua_run *run = start_run(L);
    lua_pushlstring(L, run->size ? run->payload : "", run->size);
    lua_call(L, 1, 2);
    if (lua_type(L, -2) == LUA_TBOOLEAN && !lua_toboolean(L, -2))
        return luaL_error(L, "the writer stopped");
    if (lua_isnil(L, -2) && lua_type(L, -1) == LUA_TSTRING)
        return lua_error(L);
    return 0;
}

int rowtide_lua_write(const void *data, size_t size, void *user)
{
    lua_run run = {user, data, NULL, size, 0};
    return run_callback(&run, write_body);
}

static int filter_body(lua_State *L)
{
    lua_run *run = start_run(L);
    lua_pushstring(L, run->payload);
    lua_call(L, 1, 1);
    run->result = lua_toboolean(L, -1);
    return 0;
}

int rowtide_lua_filter(const char *table, void *user)
{
    lua_run run = {user, table, NULL, 0, 0};
    return run_callback(&run, filter_body);
}

static int change_filter_body(lua_State *L)
{
    lua_run *run = start_run(L);
    rowtide_lua_push_change(L, run->payload);
    lua_call(L, 1, 1);
    run->result = lua_toboolean(L, -1);
    return 0;
}

int rowtide_lua_change_filter(const rowtide_change *change, void *user)
{
    lua_run run = {user, change, NULL, 0, 0};
    return run_callback(&run, change_filter_body);
}

static int find_action(const char *name)
{
    int action;
    for (action = ROWTIDE_ACTION_OMIT; action <= ROWTIDE_ACTION_ABORT; action++)
        if (name && strcmp(name, rowtide_conflict_action_name(action)) == 0)
            return action;
    return -1;
}

static int conflict_body(lua_State *L)
{
    lua_run *run = start_run(L);
    rowtide_lua_push_conflict(L, run->payload);
    lua_call(L, 1, 1);
    run->result = lua_type(L, -1) == LUA_TSTRING
                      ? find_action(lua_tostring(L, -1))
                      : -1;
    if (run->result >= 0)
        return 0;
    if (lua_type(L, -1) == LUA_TSTRING)
        return luaL_error(L,
                          "on_conflict returned \"%s\"; \"omit\", "
                          "\"replace\" or \"abort\" expected",
                          lua_tostring(L, -1));
    return luaL_error(L,
                      "on_conflict returned a %s; \"omit\", \"replace\" or "
                      "\"abort\" expected",
                      luaL_typename(L, -1));
}

int rowtide_lua_conflict(const rowtide_conflict *conflict, void *user)
{
    lua_run run = {user, conflict, NULL, 0, 0};
    return run_callback(&run, conflict_body);
}

static int progress_body(lua_State *L)
{
    lua_run *run = start_run(L);
    const rowtide_progress *progress = run->payload;
    lua_createtable(L, 0, 4);
    lua_pushstring(L, progress->phase);
    lua_setfield(L, -2, "phase");
    lua_pushstring(L, progress->label);
    lua_setfield(L, -2, "label");
    rowtide_lua_push_integer(L, progress->done);
    lua_setfield(L, -2, "done");
    if (progress->total >= 0) {
        rowtide_lua_push_integer(L, progress->total);
        lua_setfield(L, -2, "total");
    }
    lua_call(L, 1, 1);
    run->result = lua_type(L, -1) == LUA_TBOOLEAN && !lua_toboolean(L, -1)
                      ? ROWTIDE_STOP
                      : 0;
    return 0;
}

int rowtide_lua_progress(const rowtide_progress *progress, void *user)
{
    lua_run run = {user, progress, NULL, 0, 0};
    return run_callback(&run, progress_body);
}
