#include "private.h"

#include <stdio.h>
#include <string.h>

static const char state_key = 0;

#define KIND(noun, title)                                                      \
    static void release_##noun(void *pointer)                                  \
    {                                                                          \
        rowtide_##noun##_free(pointer);                                        \
    }                                                                          \
    const rowtide_lua_kind rowtide_lua_##noun = {"rowtide." title,             \
                                                 release_##noun};

KIND(db, "Db")
KIND(stmt, "Stmt")
KIND(source, "Source")
KIND(sink, "Sink")
KIND(changeset, "Changeset")
KIND(changeset_iter, "Changes")
KIND(changeset_builder, "Builder")
KIND(capture, "Capture")
KIND(report, "ReportHandle")
KIND(audit, "AuditLog")
KIND(undo, "UndoLog")
KIND(primary, "Primary")
KIND(replica, "Replica")
KIND(crdt_pull, "Pull")
KIND(crdt_merge, "MergeHandle")
KIND(crdt_report, "MergeReportHandle")
KIND(schema, "Schema")
KIND(schema_builder, "SchemaBuilder")
KIND(schema_difference, "Difference")
KIND(plan, "Plan")
KIND(preflight, "PreflightHandle")
KIND(schema_report, "SchemaReportHandle")

static const rowtide_lua_kind *const all_kinds[] = {
    &rowtide_lua_db,
    &rowtide_lua_stmt,
    &rowtide_lua_source,
    &rowtide_lua_sink,
    &rowtide_lua_changeset,
    &rowtide_lua_changeset_iter,
    &rowtide_lua_changeset_builder,
    &rowtide_lua_capture,
    &rowtide_lua_report,
    &rowtide_lua_audit,
    &rowtide_lua_undo,
    &rowtide_lua_primary,
    &rowtide_lua_replica,
    &rowtide_lua_crdt_pull,
    &rowtide_lua_crdt_merge,
    &rowtide_lua_crdt_report,
    &rowtide_lua_schema,
    &rowtide_lua_schema_builder,
    &rowtide_lua_schema_difference,
    &rowtide_lua_plan,
    &rowtide_lua_preflight,
    &rowtide_lua_schema_report,
};

#define KIND_COUNT (sizeof(all_kinds) / sizeof(all_kinds[0]))

static void *registry_key(const void *address)
{
    /* Lua takes keys as void *, and never writes through them. */
    union {
        const void *in;
        void *out;
    } key;
    key.in = address;
    return key.out;
}

static void push_registered(lua_State *L, const void *key)
{
    lua_pushlightuserdata(L, registry_key(key));
    lua_rawget(L, LUA_REGISTRYINDEX);
}

static int release_handle(lua_State *L, rowtide_lua_handle *handle)
{
    void *pointer = handle->pointer;
    handle->state->L = L;
    handle->pointer = NULL;
    if (pointer)
        handle->kind->release(pointer);
    return 0;
}

static int collect_handle(lua_State *L)
{
    rowtide_lua_handle *handle = rowtide_lua_any_handle(L, 1);
    return handle ? release_handle(L, handle) : 0;
}

static void make_metatable(lua_State *L, const rowtide_lua_kind *kind)
{
    luaL_newmetatable(L, kind->name);
    lua_pushstring(L, kind->name);
    lua_setfield(L, -2, "__name");
    lua_pushcfunction(L, collect_handle);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "rowtide");
    lua_setfield(L, -2, "__metatable");
    lua_pushlightuserdata(L, registry_key(kind));
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

static int make_weak_table(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int make_error_slot(lua_State *L)
{
    lua_newtable(L);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, 1);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* Values that Lua has no type for, known by their metatables. The last one is
 * that of the one value which stands for NULL. */
static void make_value_classes(lua_State *L)
{
    static const char *const names[] = {"rowtide.Blob", "rowtide.Real",
                                        "rowtide.Integer", "rowtide.Change",
                                        "rowtide.Null"};
    size_t i;
    lua_newtable(L);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        luaL_newmetatable(L, names[i]);
        lua_setmetatable(L, -2);
    }
    lua_setfield(L, LUA_REGISTRYINDEX, "rowtide.null");
}

void rowtide_lua_open(lua_State *L)
{
    rowtide_lua_state *state;
    size_t i;
    if (rowtide_lua_enter(L))
        return;
    lua_pushlightuserdata(L, registry_key(&state_key));
    state = lua_newuserdata(L, sizeof(*state));
    memset(state, 0, sizeof(*state));
    lua_rawset(L, LUA_REGISTRYINDEX);
    state->callbacks = make_weak_table(L);
    state->error = make_error_slot(L);
    for (i = 0; i < KIND_COUNT; i++)
        make_metatable(L, all_kinds[i]);
    make_value_classes(L);
}

rowtide_lua_state *rowtide_lua_enter(lua_State *L)
{
    rowtide_lua_state *state;
    push_registered(L, &state_key);
    state = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (state)
        state->L = L;
    return state;
}

rowtide_lua_handle *rowtide_lua_any_handle(lua_State *L, int index)
{
    rowtide_lua_handle *handle = NULL;
    if (index < 0)
        index = lua_gettop(L) + 1 + index;
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    if (get_length(L, index) == sizeof(*handle))
        handle = lua_touserdata(L, index);
    if (handle) {
        size_t i = 0;
        while (i < KIND_COUNT && all_kinds[i] != handle->kind)
            i++;
        if (i == KIND_COUNT)
            handle = NULL;
    }
    if (handle) {
        push_registered(L, handle->kind);
        if (!lua_rawequal(L, -1, -2))
            handle = NULL;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return handle;
}

void **rowtide_lua_new(lua_State *L, const rowtide_lua_kind *kind)
{
    rowtide_lua_state *state = rowtide_lua_enter(L);
    rowtide_lua_handle *handle = lua_newuserdata(L, sizeof(*handle));
    memset(handle, 0, sizeof(*handle));
    handle->kind = kind;
    handle->state = state;
    push_registered(L, kind);
    lua_setmetatable(L, -2);
    /* A call that failed may have left an anchor; its own is right below. */
    if (state->anchor && state->anchor == lua_gettop(L) - 1
        && lua_istable(L, state->anchor)) {
        lua_pushvalue(L, state->anchor);
        set_uservalue(L, -2);
    }
    state->anchor = 0;
    return &handle->pointer;
}

static int refuse_type(lua_State *L, int index, const char *expected)
{
    lua_pushfstring(L, "%s expected, got %s", expected,
                    luaL_typename(L, index));
    return -1;
}

int rowtide_lua_get(lua_State *L, int index, const rowtide_lua_kind *kind,
                    void **out)
{
    rowtide_lua_handle *handle;
    *out = NULL;
    if (lua_isnoneornil(L, index))
        return refuse_type(L, index, kind->name);
    handle = rowtide_lua_any_handle(L, index);
    if (!handle || handle->kind != kind) {
        lua_pushfstring(L, "%s expected, got %s", kind->name,
                        handle ? handle->kind->name : luaL_typename(L, index));
        return -1;
    }
    handle->state->L = L;
    *out = handle->pointer;
    return handle->pointer ? 1 : 0;
}

int rowtide_lua_released(lua_State *L, const rowtide_lua_kind *kind)
{
    lua_pushnil(L);
    lua_pushfstring(L, "the %s is closed", kind->name);
    lua_pushstring(L, rowtide_error_name(ROWTIDE_ECLOSED));
    return 3;
}

int rowtide_lua_get_list(lua_State *L, int index, const rowtide_lua_kind *kind,
                         void ***out, size_t *count)
{
    size_t i;
    int got = 1;
    rowtide_lua_enter(L);
    if (!lua_istable(L, index))
        return refuse_type(L, index, "a list");
    *count = get_length(L, index);
    *out = lua_newuserdata(L, (*count + 1) * sizeof(**out));
    for (i = 0; i < *count && got == 1; i++) {
        lua_rawgeti(L, index, (int)(i + 1));
        got = rowtide_lua_get(L, -1, kind, &(*out)[i]);
        if (got == 1)
            lua_pop(L, 1);
    }
    return got;
}

static int raise_callback_error(lua_State *L, rowtide_lua_state *state)
{
    state->failed = 0;
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->error);
    lua_rawgeti(L, -1, 1);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -3, 1);
    if (lua_type(L, -1) == LUA_TSTRING
        && strstr(lua_tostring(L, -1), "attempt to yield"))
        lua_pushliteral(L, "a callback of rowtide cannot yield: coroutines "
                           "cannot be suspended across the C library");
    return lua_error(L);
}

int rowtide_lua_fail(lua_State *L, int status)
{
    rowtide_lua_state *state = rowtide_lua_enter(L);
    char message[1024];
    if (state->failed && status == ROWTIDE_EUSER)
        return raise_callback_error(L, state);
    /* Pushing may collect garbage, and that may set another error. */
    snprintf(message, sizeof(message), "%s", rowtide_error_message());
    lua_pushnil(L);
    lua_pushstring(L, message[0] ? message : rowtide_error_text(status));
    lua_pushstring(L, rowtide_error_name(status));
    return 3;
}

/* metatable(name): for the Lua layer, which fills it with methods. */
int rowtide_lua_f_metatable(lua_State *L)
{
    luaL_getmetatable(L, luaL_checkstring(L, 1));
    return 1;
}

/* null(): what stands for SQL NULL. */
int rowtide_lua_f_null(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "rowtide.null");
    return 1;
}

/* kind(value): the name of its metatable if it is one of ours, or nil. */
int rowtide_lua_f_kind(lua_State *L)
{
    rowtide_lua_handle *handle = rowtide_lua_any_handle(L, 1);
    if (!handle)
        return 0;
    lua_pushstring(L, handle->kind->name);
    return 1;
}

/* release(handle): give back what is behind it now. */
int rowtide_lua_f_release(lua_State *L)
{
    rowtide_lua_handle *handle = rowtide_lua_any_handle(L, 1);
    if (!handle)
        return luaL_argerror(L, 1, "a rowtide object expected");
    if (handle->busy)
        return rowtide_lua_fail(
            L, rowtide_error_set(
                   ROWTIDE_EMISUSE,
                   "it cannot be closed inside a callback of a call on it"));
    release_handle(L, handle);
    lua_pushboolean(L, 1);
    return 1;
}

/* is_released(handle) */
int rowtide_lua_f_is_released(lua_State *L)
{
    rowtide_lua_handle *handle = rowtide_lua_any_handle(L, 1);
    lua_pushboolean(L, !handle || !handle->pointer);
    return 1;
}

/* adopt(lightuserdata): a sqlite3 * that another module opened. */
int rowtide_lua_f_adopt(lua_State *L)
{
    void **out;
    int rc;
    if (!lua_islightuserdata(L, 1))
        return luaL_argerror(L, 1,
                             "a light userdata with a sqlite3 * expected");
    out = rowtide_lua_new(L, &rowtide_lua_db);
    rc = rowtide_db_adopt(lua_touserdata(L, 1), (rowtide_db **)out);
    return rc < 0 ? rowtide_lua_fail(L, rc) : 1;
}

/* pointer(db): its sqlite3 * as a light userdata, or nil if it is closed. */
int rowtide_lua_f_pointer(lua_State *L)
{
    void *db;
    struct sqlite3 *sqlite;
    if (rowtide_lua_get(L, 1, &rowtide_lua_db, &db) < 0)
        return lua_error(L);
    sqlite = db ? rowtide_db_sqlite(db) : NULL;
    if (!sqlite)
        return rowtide_lua_released(L, &rowtide_lua_db);
    lua_pushlightuserdata(L, sqlite);
    return 1;
}
