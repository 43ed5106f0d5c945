#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rowtide_lua_push_integer(lua_State *L, int64_t value)
{
#if LUA_VERSION_NUM >= 503
    lua_pushinteger(L, (lua_Integer)value);
#else
    if (value >= -EXACT_LIMIT && value <= EXACT_LIMIT) {
        lua_pushnumber(L, (lua_Number)value);
    } else {
        char digits[24];
        snprintf(digits, sizeof(digits), "%lld", (long long)value);
        lua_pushstring(L, digits);
    }
#endif
}

/* Exact decimal text, as 5.1 and LuaJIT have it for large integers. */
static int parse_integer(const char *text, size_t size, int64_t *out)
{
    char *end;
    long long value;
    char round_trip[24];
    if (size == 0 || size > 20)
        return 0;
    value = strtoll(text, &end, 10);
    if (end != text + size)
        return 0;
    snprintf(round_trip, sizeof(round_trip), "%lld", value);
    *out = value;
    return strcmp(round_trip, text) == 0;
}

/* 1 if the number at `index` is an integer that int64_t holds exactly. */
static int exact_integer(lua_State *L, int index, int64_t *out)
{
    lua_Number number;
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index)) {
        *out = lua_tointeger(L, index);
        return 1;
    }
#endif
    number = lua_tonumber(L, index);
    if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0))
        return 0;
    *out = (int64_t)number;
    return (lua_Number)*out == number;
}

int rowtide_lua_to_integer(lua_State *L, int index, int64_t *out)
{
    size_t size;
    if (lua_type(L, index) == LUA_TNUMBER && exact_integer(L, index, out))
        return 1;
    if (lua_type(L, index) == LUA_TBOOLEAN) {
        *out = lua_toboolean(L, index);
        return 1;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, index, &size);
        if (parse_integer(text, size, out))
            return 1;
    }
    lua_pushfstring(L, "integer expected, got %s", luaL_typename(L, index));
    return 0;
}

int rowtide_lua_to_string(lua_State *L, int index, const char **out)
{
    size_t size;
    *out = NULL;
    if (lua_isnoneornil(L, index))
        return 1;
    if (lua_type(L, index) != LUA_TSTRING) {
        lua_pushfstring(L, "string expected, got %s", luaL_typename(L, index));
        return 0;
    }
    *out = lua_tolstring(L, index, &size);
    if (strlen(*out) == size)
        return 1;
    lua_pushliteral(L, "string without NUL bytes expected");
    return 0;
}

int rowtide_lua_to_bytes(lua_State *L, int index, const void **data,
                         size_t *size)
{
    *data = NULL;
    *size = 0;
    if (lua_isnoneornil(L, index))
        return 1;
    if (lua_type(L, index) != LUA_TSTRING) {
        lua_pushfstring(L, "string expected, got %s", luaL_typename(L, index));
        return 0;
    }
    *data = lua_tolstring(L, index, size);
    return 1;
}

/* Push a table {value} of a class that the Lua layer gives methods to. */
static void push_wrapped(lua_State *L, const char *metatable)
{
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    luaL_newmetatable(L, metatable);
    lua_setmetatable(L, -2);
}

void rowtide_lua_push_value(lua_State *L, const rowtide_value *value)
{
    const char *bytes = value->size ? value->data : "";
    switch (value->type) {
    case ROWTIDE_INTEGER:
        rowtide_lua_push_integer(L, value->integer);
        break;
    case ROWTIDE_REAL:
        lua_pushnumber(L, value->real);
        break;
    case ROWTIDE_TEXT:
        lua_pushlstring(L, bytes, value->size);
        break;
    case ROWTIDE_BLOB:
        lua_pushlstring(L, bytes, value->size);
        push_wrapped(L, "rowtide.Blob");
        break;
    case ROWTIDE_NULL:
        lua_getfield(L, LUA_REGISTRYINDEX, "rowtide.null");
        break;
    default:
        lua_pushnil(L);
    }
}

static int has_metatable(lua_State *L, int index, const char *name)
{
    int same;
    if (!lua_getmetatable(L, index))
        return 0;
    luaL_getmetatable(L, name);
    same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static int is_null(lua_State *L, int index)
{
    int same;
    if (lua_islightuserdata(L, index))
        return lua_touserdata(L, index) == NULL;
    lua_getfield(L, LUA_REGISTRYINDEX, "rowtide.null");
    same = lua_rawequal(L, -1, index);
    lua_pop(L, 1);
    return same;
}

/* What a wrapper holds is kept by the wrapper. */
static int read_wrapped(lua_State *L, int index, rowtide_value *out)
{
    int ok = 0;
    lua_rawgeti(L, index, 1);
    if (has_metatable(L, index, "rowtide.Blob")
        && lua_type(L, -1) == LUA_TSTRING) {
        size_t size;
        const char *data = lua_tolstring(L, -1, &size);
        *out = rowtide_value_blob(data, size);
        ok = 1;
    } else if (has_metatable(L, index, "rowtide.Real")) {
        *out = rowtide_value_real(lua_tonumber(L, -1));
        ok = 1;
    } else if (has_metatable(L, index, "rowtide.Integer")) {
        int64_t integer = 0;
        ok = rowtide_lua_to_integer(L, -1, &integer);
        *out = rowtide_value_integer(integer);
    }
    lua_pop(L, 1);
    return ok;
}

static void read_number(lua_State *L, int index, rowtide_value *out)
{
    int64_t integer;
#if LUA_VERSION_NUM >= 503
    int is_integer = lua_isinteger(L, index);
    integer = is_integer ? lua_tointeger(L, index) : 0;
#else
    int is_integer = exact_integer(L, index, &integer);
#endif
    if (is_integer)
        *out = rowtide_value_integer(integer);
    else
        *out = rowtide_value_real(lua_tonumber(L, index));
}

int rowtide_lua_to_value(lua_State *L, int index, rowtide_value *out)
{
    size_t size;
    if (index < 0)
        index = lua_gettop(L) + 1 + index;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        *out = rowtide_value_undefined();
        return 1;
    case LUA_TBOOLEAN:
        *out = rowtide_value_integer(lua_toboolean(L, index));
        return 1;
    case LUA_TNUMBER:
        read_number(L, index, out);
        return 1;
    case LUA_TSTRING:
        *out = rowtide_value_text("");
        out->data = lua_tolstring(L, index, &size);
        out->size = size;
        return 1;
    default:
        if (is_null(L, index)) {
            *out = rowtide_value_null();
            return 1;
        }
        if (lua_istable(L, index) && read_wrapped(L, index, out))
            return 1;
        lua_pushfstring(L, "a %s cannot be a SQL value",
                        luaL_typename(L, index));
        return 0;
    }
}

int rowtide_lua_to_values(lua_State *L, int index, const rowtide_value **out,
                          size_t *count)
{
    rowtide_value *values;
    int64_t n = 0;
    int i;
    *out = NULL;
    *count = 0;
    if (lua_isnoneornil(L, index))
        return 1;
    if (!lua_istable(L, index)) {
        lua_pushfstring(L, "a list of values expected, got %s",
                        luaL_typename(L, index));
        return 0;
    }
    lua_getfield(L, index, "n");
    if (lua_isnil(L, -1))
        n = (int64_t)get_length(L, index);
    else if (!rowtide_lua_to_integer(L, -1, &n) || n < 0 || n > 32767) {
        lua_pushliteral(L, "n must be the number of columns");
        return 0;
    }
    values = lua_newuserdata(L, (size_t)(n + 1) * sizeof(*values));
    for (i = 0; i < n; i++) {
        lua_rawgeti(L, index, i + 1);
        if (!rowtide_lua_to_value(L, -1, &values[i]))
            return 0;
        lua_pop(L, 1);
    }
    *out = values;
    *count = (size_t)n;
    return 1;
}

static void set_integer(lua_State *L, const char *name, int64_t value)
{
    rowtide_lua_push_integer(L, value);
    lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

int rowtide_lua_push_exact(lua_State *L, const rowtide_value *value)
{
#if LUA_VERSION_NUM < 503
    int whole = value->type == ROWTIDE_REAL
                && value->real >= -9007199254740992.0
                && value->real <= 9007199254740992.0
                && value->real == (double)(int64_t)value->real;
    int large = value->type == ROWTIDE_INTEGER
                && (value->integer < -EXACT_LIMIT
                    || value->integer > EXACT_LIMIT);
    if (whole || large) {
        rowtide_lua_push_value(L, value);
        push_wrapped(L, whole ? "rowtide.Real" : "rowtide.Integer");
        return 1;
    }
#endif
    (void)L;
    (void)value;
    return 0;
}

/* Where a plain Lua value would not come back as the same SQL value, the one
 * that would stands in the field `exact` of the list on top. */
static void set_exact(lua_State *L, const rowtide_value *value, int column)
{
    if (!rowtide_lua_push_exact(L, value))
        return;
    lua_getfield(L, -2, "exact");
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -4, "exact");
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, column);
    lua_pop(L, 1);
}

static void set_values(lua_State *L, const char *name,
                       const rowtide_value *values, int count)
{
    int i;
    if (!values)
        return;
    lua_createtable(L, count, 1);
    for (i = 0; i < count; i++) {
        rowtide_lua_push_value(L, &values[i]);
        lua_rawseti(L, -2, i + 1);
        set_exact(L, &values[i], i + 1);
    }
    set_integer(L, "n", count);
    lua_setfield(L, -2, name);
}

static void set_primary_key(lua_State *L, const rowtide_change *change)
{
    int i;
    lua_newtable(L);
    for (i = 0; i < change->column_count; i++) {
        if (change->primary_key[i]) {
            lua_pushinteger(L, i + 1);
            lua_rawseti(L, -2, change->primary_key[i]);
        }
    }
    lua_setfield(L, -2, "primary_key");
}

void rowtide_lua_push_change(lua_State *L, const rowtide_change *change)
{
    if (!change) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, 0, 8);
    set_string(L, "table", change->table);
    set_string(L, "kind", rowtide_change_kind_name(change->kind));
    lua_pushboolean(L, change->indirect);
    lua_setfield(L, -2, "indirect");
    set_integer(L, "n", change->column_count);
    set_integer(L, "offset", change->offset);
    set_primary_key(L, change);
    set_values(L, "old", change->old_values, change->column_count);
    set_values(L, "new", change->new_values, change->column_count);
    luaL_newmetatable(L, "rowtide.Change");
    lua_setmetatable(L, -2);
}

void rowtide_lua_push_conflict(lua_State *L, const rowtide_conflict *conflict)
{
    lua_createtable(L, 0, 6);
    set_string(L, "kind", rowtide_conflict_kind_name(conflict->kind));
    set_string(L, "message", conflict->message);
    set_integer(L, "foreign_key_count", conflict->foreign_key_count);
    if (conflict->change) {
        set_string(L, "table", conflict->change->table);
        rowtide_lua_push_change(L, conflict->change);
        lua_setfield(L, -2, "change");
        set_values(L, "conflicting", conflict->conflicting,
                   conflict->change->column_count);
    }
}

void rowtide_lua_push_counts(lua_State *L, const rowtide_change_counts *counts)
{
    lua_createtable(L, 0, 4);
    set_integer(L, "inserts", counts->inserts);
    set_integer(L, "updates", counts->updates);
    set_integer(L, "deletes", counts->deletes);
    set_integer(L, "indirect", counts->indirect);
}

void rowtide_lua_push_step(lua_State *L, const rowtide_undo_step *step)
{
    lua_createtable(L, 0, 5);
    set_integer(L, "id", step->id);
    set_string(L, "label", step->label);
    set_string(L, "time", step->time);
    set_integer(L, "bytes", step->bytes);
    lua_pushboolean(L, step->undone);
    lua_setfield(L, -2, "undone");
}

void rowtide_lua_push_report_table(lua_State *L,
                                   const rowtide_report_table *table)
{
    lua_createtable(L, 0, 6);
    set_string(L, "table", table->table);
    set_integer(L, "applied", table->applied);
    set_integer(L, "omitted", table->omitted);
    set_integer(L, "replaced", table->replaced);
    set_integer(L, "skipped", table->skipped);
    set_string(L, "skip_reason", table->skip_reason);
}
