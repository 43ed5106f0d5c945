/* Structs as Lua tables, by their shapes. Everything is copied. */
#include "private.h"

#include <string.h>

/* The metatable of a shape, which the Lua layer may fill. */
static void push_class(lua_State *L, const char *name)
{
    lua_pushfstring(L, "rowtide.shape.%s", name);
    luaL_newmetatable(L, lua_tostring(L, -1));
    lua_remove(L, -2);
}

static void push_texts(lua_State *L, const char *const *texts)
{
    int i;
    lua_newtable(L);
    for (i = 0; texts && texts[i]; i++) {
        lua_pushstring(L, texts[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Things whose first field is a name are found by it. */
static void push_items(lua_State *L, const rowtide_shape *shape,
                       const void *const *items)
{
    int i;
    lua_newtable(L);
    for (i = 0; items && items[i]; i++) {
        rowtide_lua_push_item(L, shape, items[i]);
        lua_rawseti(L, -2, i + 1);
    }
    if (strcmp(shape->fields[0].name, "name") == 0) {
        push_class(L, "list");
        lua_setmetatable(L, -2);
    }
}

static void push_field(lua_State *L, const rowtide_field *field,
                       const void *item)
{
    const void *at = (const char *)item + field->offset;
    switch (field->kind) {
    case ROWTIDE_FIELD_TEXT:
        lua_pushstring(L, *(const char *const *)at);
        break;
    case ROWTIDE_FIELD_BOOLEAN:
        lua_pushboolean(L, *(const int *)at);
        break;
    case ROWTIDE_FIELD_INTEGER:
        rowtide_lua_push_integer(L, *(const int64_t *)at);
        break;
    case ROWTIDE_FIELD_ENUM:
        lua_pushstring(L, field->names[*(const int *)at]);
        break;
    case ROWTIDE_FIELD_TEXTS:
        push_texts(L, *(const char *const *const *)at);
        break;
    case ROWTIDE_FIELD_ITEM:
        rowtide_lua_push_item(L, field->shape, *(const void *const *)at);
        break;
    case ROWTIDE_FIELD_ITEMS:
        push_items(L, field->shape, *(const void *const *const *)at);
        break;
    default:
        lua_pushnil(L);
    }
}

void rowtide_lua_push_item(lua_State *L, const rowtide_shape *shape,
                           const void *item)
{
    const rowtide_field *field;
    luaL_checkstack(L, 8, "too deep");
    if (!item) {
        lua_pushnil(L);
        return;
    }
    lua_newtable(L);
    for (field = shape->fields; field->name; field++) {
        push_field(L, field, item);
        lua_setfield(L, -2, field->name);
    }
    push_class(L, shape->name);
    lua_setmetatable(L, -2);
}

/* shape_class(name): the metatable of what has this shape. */
int rowtide_lua_f_shape_class(lua_State *L)
{
    push_class(L, luaL_checkstring(L, 1));
    return 1;
}

static int collect_buffer(lua_State *L)
{
    rowtide_buffer_dispose(lua_touserdata(L, 1));
    return 0;
}

rowtide_buffer *rowtide_lua_buffer(lua_State *L)
{
    rowtide_buffer *buffer = lua_newuserdata(L, sizeof(*buffer));
    memset(buffer, 0, sizeof(*buffer));
    if (luaL_newmetatable(L, "rowtide.Buffer")) {
        lua_pushcfunction(L, collect_buffer);
        lua_setfield(L, -2, "__gc");
        lua_pushliteral(L, "rowtide");
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
    return buffer;
}
