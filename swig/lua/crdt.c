/* Changes and pull options of rowtide/crdt.h. */
#include "private.h"

#include <string.h>

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    rowtide_lua_push_integer(L, value);
    lua_setfield(L, -2, name);
}

static void set_bytes(lua_State *L, const char *name, const void *data,
                      size_t size)
{
    if (!data)
        return;
    lua_pushlstring(L, data, size);
    lua_setfield(L, -2, name);
}

void rowtide_lua_push_crdt_change(lua_State *L,
                                  const rowtide_crdt_change *change)
{
    lua_createtable(L, 0, 10);
    lua_pushstring(L, change->table);
    lua_setfield(L, -2, "table");
    set_bytes(L, "pk", change->pk, change->pk_size);
    lua_pushstring(L, change->column);
    lua_setfield(L, -2, "column");
    rowtide_lua_push_value(L, &change->value);
    lua_setfield(L, -2, "value");
    if (rowtide_lua_push_exact(L, &change->value))
        lua_setfield(L, -2, "exact");
    set_integer(L, "column_version", change->column_version);
    set_integer(L, "db_version", change->db_version);
    set_bytes(L, "site_id", change->site_id, change->site_id_size);
    set_integer(L, "causal_length", change->causal_length);
    set_integer(L, "sequence", change->sequence);
}

/* ## Reading. What is read stays on the stack, and in the table. */

static int wrong_field(lua_State *L, const char *name)
{
    const char *why = lua_tostring(L, -1);
    lua_pushfstring(L, "change.%s: %s", name, why ? why : "wrong type");
    return 0;
}

static int read_integer(lua_State *L, int index, const char *name, int64_t *out)
{
    lua_getfield(L, index, name);
    return rowtide_lua_to_integer(L, -1, out) ? 1 : wrong_field(L, name);
}

static int read_name(lua_State *L, int index, const char *name,
                     const char **out)
{
    lua_getfield(L, index, name);
    if (lua_isnil(L, -1)) {
        lua_pushliteral(L, "string expected, got nothing");
        return wrong_field(L, name);
    }
    return rowtide_lua_to_string(L, -1, out) ? 1 : wrong_field(L, name);
}

static int read_bytes(lua_State *L, int index, const char *name,
                      const void **data, size_t *size)
{
    lua_getfield(L, index, name);
    return rowtide_lua_to_bytes(L, -1, data, size) ? 1 : wrong_field(L, name);
}

/* `exact` says what a value was that Lua has no type for, unless somebody has
 * changed the value since. */
static int is_exact(lua_State *L, int exact, int value)
{
    int same;
    if (!lua_istable(L, exact))
        return 0;
    lua_rawgeti(L, exact, 1);
    same = lua_rawequal(L, -1, value);
    lua_pop(L, 1);
    return same;
}

static int read_value(lua_State *L, int index, rowtide_value *out)
{
    int value;
    lua_getfield(L, index, "value");
    value = lua_gettop(L);
    lua_getfield(L, index, "exact");
    if (!rowtide_lua_to_value(
            L, is_exact(L, value + 1, value) ? value + 1 : value, out))
        return wrong_field(L, "value");
    if (out->type == ROWTIDE_UNDEFINED)
        *out = rowtide_value_null();
    return 1;
}

int rowtide_lua_to_crdt_change(lua_State *L, int index,
                               rowtide_crdt_change *out)
{
    memset(out, 0, sizeof(*out));
    luaL_checkstack(L, 20, "a change");
    rowtide_lua_enter(L);
    if (!lua_istable(L, index)) {
        lua_pushfstring(L, "a change expected, got %s",
                        luaL_typename(L, index));
        return 0;
    }
    return read_name(L, index, "table", &out->table)
           && read_bytes(L, index, "pk", &out->pk, &out->pk_size)
           && read_name(L, index, "column", &out->column)
           && read_value(L, index, &out->value)
           && read_integer(L, index, "column_version", &out->column_version)
           && read_integer(L, index, "db_version", &out->db_version)
           && read_bytes(L, index, "site_id", &out->site_id, &out->site_id_size)
           && read_integer(L, index, "causal_length", &out->causal_length)
           && read_integer(L, index, "sequence", &out->sequence);
}
