/* Binding and reading whole rows, which is too chatty a value at a time. */
#include "private.h"

static rowtide_stmt *check_stmt(lua_State *L)
{
    void *stmt;
    if (rowtide_lua_get(L, 1, &rowtide_lua_stmt, &stmt) < 0)
        lua_error(L);
    return stmt;
}

static int refuse(lua_State *L, const char *message)
{
    return rowtide_lua_fail(L, rowtide_error_set(ROWTIDE_EINVAL, message));
}

/* The parameter that the key at -2 stands for; 0 with a message pushed. */
static int find_parameter(lua_State *L, rowtide_stmt *stmt, int count)
{
    int64_t index = 0;
    if (lua_type(L, -2) == LUA_TSTRING) {
        index = rowtide_stmt_parameter_index(stmt, lua_tostring(L, -2));
        if (index <= 0)
            lua_pushfstring(L, "the statement has no parameter named \"%s\"",
                            lua_tostring(L, -2));
        return (int)index;
    }
    if (lua_type(L, -2) == LUA_TNUMBER && rowtide_lua_to_integer(L, -2, &index)
        && index >= 1 && index <= count)
        return (int)index;
    if (lua_type(L, -2) == LUA_TNUMBER)
        lua_pushfstring(L, "there is no parameter %d: the statement has %d",
                        (int)index, count);
    else
        lua_pushliteral(L, "parameters are numbered or named");
    return 0;
}

static int bind_pair(lua_State *L, rowtide_stmt *stmt, int count)
{
    rowtide_value value;
    int index;
    index = find_parameter(L, stmt, count);
    if (index <= 0)
        return rowtide_error_set(ROWTIDE_EINVAL, lua_tostring(L, -1));
    if (!rowtide_lua_to_value(L, -1, &value))
        return rowtide_error_set(ROWTIDE_EINVAL, lua_tostring(L, -1));
    return rowtide_stmt_bind(stmt, index, &value);
}

/* bind(stmt, params) -> how many were bound */
int rowtide_lua_f_bind(lua_State *L)
{
    rowtide_stmt *stmt = check_stmt(L);
    int bound = 0;
    int count;
    if (!stmt)
        return rowtide_lua_released(L, &rowtide_lua_stmt);
    luaL_checktype(L, 2, LUA_TTABLE);
    count = rowtide_stmt_parameter_count(stmt);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        int top = lua_gettop(L);
        int rc = bind_pair(L, stmt, count);
        if (rc < 0)
            return rowtide_lua_fail(L, rc);
        lua_settop(L, top - 1);
        bound++;
    }
    if (bound < count)
        return refuse(L, "a parameter has no value; rowtide.null stands for "
                         "NULL");
    lua_pushinteger(L, bound);
    return 1;
}

static void push_column(lua_State *L, rowtide_stmt *stmt, int index)
{
    rowtide_value value;
    if (rowtide_stmt_column(stmt, index, &value) < 0)
        value = rowtide_value_null();
    if (value.type == ROWTIDE_BLOB)
        value.type = ROWTIDE_TEXT;
    rowtide_lua_push_value(L, &value);
}

/* row(stmt, by_position) -> a table, or nil at the end */
int rowtide_lua_f_row(lua_State *L)
{
    rowtide_stmt *stmt = check_stmt(L);
    int by_position = lua_toboolean(L, 2);
    int i, rc, count;
    if (!stmt)
        return rowtide_lua_released(L, &rowtide_lua_stmt);
    rc = rowtide_stmt_step(stmt);
    if (rc < 0)
        return rowtide_lua_fail(L, rc);
    if (rc == ROWTIDE_DONE)
        return 0;
    count = rowtide_stmt_column_count(stmt);
    lua_createtable(L, by_position ? count : 0, by_position ? 1 : count);
    for (i = 0; i < count; i++) {
        push_column(L, stmt, i);
        if (by_position)
            lua_rawseti(L, -2, i + 1);
        else
            lua_setfield(L, -2, rowtide_stmt_column_name(stmt, i));
    }
    if (by_position) {
        lua_pushinteger(L, count);
        lua_setfield(L, -2, "n");
    }
    return 1;
}
