/* Option tables into option structs. A field that is nil keeps its default.
 * Strings stay owned by the table, which the caller holds. */
#include "private.h"
#include "schema_options.h"

#include <string.h>

typedef struct flag_name {
    const char *name;
    unsigned flag;
} flag_name;

/* 1 with the field pushed, 0 if it is nil. */
static int push_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    if (!lua_isnil(L, -1))
        return 1;
    lua_pop(L, 1);
    return 0;
}

static int wrong_option(lua_State *L, const char *name)
{
    const char *why = lua_tostring(L, -1);
    lua_pushfstring(L, "option %s: %s", name, why ? why : "wrong type");
    return 0;
}

/* 1 if there is a table to read, 0 if nil, -1 with a message pushed. */
static int options_given(lua_State *L, int index)
{
    luaL_checkstack(L, 24, "too many options");
    rowtide_lua_enter(L);
    if (lua_isnoneornil(L, index))
        return 0;
    if (lua_istable(L, index))
        return 1;
    lua_pushfstring(L, "a table of options expected, got %s",
                    luaL_typename(L, index));
    return -1;
}

static int read_integer(lua_State *L, int index, const char *name, int64_t *out)
{
    if (!push_field(L, index, name))
        return 1;
    if (!rowtide_lua_to_integer(L, -1, out))
        return wrong_option(L, name);
    lua_pop(L, 1);
    return 1;
}

static int read_string(lua_State *L, int index, const char *name,
                       const char **out)
{
    if (!push_field(L, index, name))
        return 1;
    if (!rowtide_lua_to_string(L, -1, out))
        return wrong_option(L, name);
    lua_pop(L, 1);
    return 1;
}

static void read_flags(lua_State *L, int index, const flag_name *names,
                       unsigned *out)
{
    for (; names->name; names++) {
        lua_getfield(L, index, names->name);
        if (lua_toboolean(L, -1))
            *out |= names->flag;
        lua_pop(L, 1);
    }
}

/* The array stands on the stack, the strings in the option table. */
static int read_names(lua_State *L, int index, const char *name,
                      const char *const **out, size_t *count)
{
    const char **names;
    size_t i;
    if (!push_field(L, index, name))
        return 1;
    if (!lua_istable(L, -1)) {
        lua_pushliteral(L, "a list of names expected");
        return wrong_option(L, name);
    }
    *count = get_length(L, -1);
    names = lua_newuserdata(L, (*count + 1) * sizeof(*names));
    names[*count] = NULL;
    lua_insert(L, -2);
    for (i = 0; i < *count; i++) {
        lua_rawgeti(L, -1, (int)(i + 1));
        if (lua_type(L, -1) != LUA_TSTRING) {
            lua_pushliteral(L, "a list of names expected");
            return wrong_option(L, name);
        }
        if (!rowtide_lua_to_string(L, -1, &names[i]))
            return wrong_option(L, name);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    *out = names;
    return 1;
}

/* The bytes stand in the option table. */
static int read_bytes(lua_State *L, int index, const char *name,
                      const void **out, size_t *size)
{
    if (!push_field(L, index, name))
        return 1;
    if (!rowtide_lua_to_bytes(L, -1, out, size))
        return wrong_option(L, name);
    lua_pop(L, 1);
    return 1;
}

/* What keeps the callback alive stays on the stack. */
static int read_function(lua_State *L, int index, const char *name, void **user)
{
    *user = NULL;
    if (!push_field(L, index, name))
        return 1;
    if (!lua_isfunction(L, -1)) {
        lua_pushliteral(L, "a function expected");
        return wrong_option(L, name);
    }
    *user = rowtide_lua_callback(L, lua_gettop(L), name);
    lua_remove(L, -2);
    return 1;
}

int rowtide_lua_open_options(lua_State *L, int index, rowtide_open_options *out)
{
    const rowtide_open_options defaults = ROWTIDE_OPEN_OPTIONS_INIT;
    int64_t timeout = defaults.busy_timeout_ms;
    const flag_name names[] = {{"read_only", 1}, {"must_exist", 2}, {NULL, 0}};
    unsigned flags = 0;
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_integer(L, index, "busy_timeout", &timeout))
        return 0;
    read_flags(L, index, names, &flags);
    out->read_only = (flags & 1) != 0;
    out->must_exist = (flags & 2) != 0;
    if (timeout < 0)
        timeout = 0;
    out->busy_timeout_ms = timeout > INT32_MAX ? INT32_MAX : (int)timeout;
    return 1;
}

/* A filter is asked while the recording runs, long after this call: it is
 * kept by the handle that records, which is new or the first argument. */
static void keep_filter(lua_State *L)
{
    rowtide_lua_handle *first = rowtide_lua_any_handle(L, 1);
    if (first && first->kind != &rowtide_lua_db) {
        lua_pushvalue(L, -1);
        set_uservalue(L, 1);
    } else {
        rowtide_lua_anchor(L);
    }
}

int rowtide_lua_capture_options(lua_State *L, int index,
                                rowtide_capture_options *out)
{
    const rowtide_capture_options defaults = ROWTIDE_CAPTURE_OPTIONS_INIT;
    const flag_name names[] = {{"patchset", ROWTIDE_CAPTURE_PATCHSET},
                               {"indirect", ROWTIDE_CAPTURE_INDIRECT},
                               {"measure", ROWTIDE_CAPTURE_SIZE},
                               {NULL, 0}};
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_string(L, index, "schema", &out->schema)
        || !read_names(L, index, "tables", &out->tables, &out->table_count)
        || !read_integer(L, index, "memory_limit", &out->memory_limit)
        || !read_function(L, index, "filter", &out->filter_user))
        return 0;
    read_flags(L, index, names, &out->flags);
    if (out->filter_user) {
        out->filter = rowtide_lua_filter;
        keep_filter(L);
    }
    return 1;
}

int rowtide_lua_diff_options(lua_State *L, int index, rowtide_diff_options *out)
{
    const rowtide_diff_options defaults = ROWTIDE_DIFF_OPTIONS_INIT;
    const flag_name names[] = {{"patchset", ROWTIDE_CAPTURE_PATCHSET},
                               {NULL, 0}};
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_names(L, index, "tables", &out->tables, &out->table_count)
        || !read_function(L, index, "filter", &out->filter_user)
        || !read_function(L, index, "progress", &out->progress_user))
        return 0;
    read_flags(L, index, names, &out->flags);
    out->filter = out->filter_user ? rowtide_lua_filter : NULL;
    out->progress = out->progress_user ? rowtide_lua_progress : NULL;
    return 1;
}

static int read_action(lua_State *L, const char *kind,
                       rowtide_conflict_action *out)
{
    const char *name = lua_tostring(L, -1);
    int action;
    for (action = ROWTIDE_ACTION_OMIT; action <= ROWTIDE_ACTION_ABORT;
         action++) {
        if (name && strcmp(name, rowtide_conflict_action_name(action)) == 0) {
            *out = (rowtide_conflict_action)action;
            return 1;
        }
    }
    lua_pushfstring(L,
                    "option on_conflict: \"omit\", \"replace\" or \"abort\" "
                    "expected for %s",
                    kind);
    return 0;
}

static int read_kind_action(lua_State *L, int kind,
                            rowtide_conflict_action *out)
{
    const char *name = rowtide_conflict_kind_name(kind);
    if (!push_field(L, lua_gettop(L), name))
        return 1;
    if (!read_action(L, name, out))
        return 0;
    lua_pop(L, 1);
    return 1;
}

static int read_policy_table(lua_State *L, rowtide_policy *out)
{
    return read_kind_action(L, ROWTIDE_CONFLICT_DATA, &out->data)
           && read_kind_action(L, ROWTIDE_CONFLICT_NOT_FOUND, &out->not_found)
           && read_kind_action(L, ROWTIDE_CONFLICT_CONFLICT, &out->conflict)
           && read_kind_action(L, ROWTIDE_CONFLICT_CONSTRAINT, &out->constraint)
           && read_kind_action(L, ROWTIDE_CONFLICT_FOREIGN_KEY,
                               &out->foreign_key);
}

static int read_policy_name(lua_State *L, rowtide_policy *out)
{
    static const rowtide_policy policies[] = {
        ROWTIDE_POLICY_OMIT, ROWTIDE_POLICY_REPLACE, ROWTIDE_POLICY_ABORT};
    rowtide_conflict_action action;
    if (!read_action(L, "all kinds", &action))
        return 0;
    *out = policies[action];
    return 1;
}

static int read_on_conflict(lua_State *L, int index, rowtide_apply_options *out)
{
    int ok;
    if (!push_field(L, index, "on_conflict"))
        return 1;
    if (lua_isfunction(L, -1)) {
        lua_pop(L, 1);
        out->on_conflict = rowtide_lua_conflict;
        return read_function(L, index, "on_conflict", &out->on_conflict_user);
    }
    if (lua_istable(L, -1))
        ok = read_policy_table(L, &out->policy);
    else
        ok = read_policy_name(L, &out->policy);
    if (ok)
        lua_pop(L, 1);
    return ok;
}

int rowtide_lua_apply_options(lua_State *L, int index,
                              rowtide_apply_options *out)
{
    const rowtide_apply_options defaults = ROWTIDE_APPLY_OPTIONS_INIT;
    const flag_name names[] = {{"invert", ROWTIDE_APPLY_INVERT},
                               {"ignore_noop", ROWTIDE_APPLY_IGNORE_NOOP},
                               {"fk_no_action", ROWTIDE_APPLY_FK_NO_ACTION},
                               {"no_triggers", ROWTIDE_APPLY_NO_TRIGGERS},
                               {"skip_indirect", ROWTIDE_APPLY_SKIP_INDIRECT},
                               {"skip_misfits", ROWTIDE_APPLY_SKIP_MISFITS},
                               {NULL, 0}};
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_on_conflict(L, index, out)
        || !read_function(L, index, "filter", &out->filter_user)
        || !read_function(L, index, "change_filter", &out->change_filter_user)
        || !read_function(L, index, "progress", &out->progress_user))
        return 0;
    read_flags(L, index, names, &out->flags);
    out->filter = out->filter_user ? rowtide_lua_filter : NULL;
    out->change_filter = out->change_filter_user ? rowtide_lua_change_filter
                                                 : NULL;
    out->progress = out->progress_user ? rowtide_lua_progress : NULL;
    return 1;
}

int rowtide_lua_render_options(lua_State *L, int index,
                               rowtide_render_options *out)
{
    const rowtide_render_options defaults = ROWTIDE_RENDER_OPTIONS_INIT;
    const flag_name names[] = {{"color", ROWTIDE_RENDER_COLOR},
                               {"compact", ROWTIDE_RENDER_COMPACT},
                               {NULL, 0}};
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_integer(L, index, "limit", &out->limit)
        || !read_string(L, index, "title", &out->title))
        return 0;
    read_flags(L, index, names, &out->flags);
    if (push_field(L, index, "names")) {
        void *db;
        int got = rowtide_lua_get(L, lua_gettop(L), &rowtide_lua_db, &db);
        if (got < 0)
            return wrong_option(L, "names");
        out->names = db;
    }
    return 1;
}

int rowtide_lua_undo_options(lua_State *L, int index, rowtide_undo_options *out)
{
    const rowtide_undo_options defaults = ROWTIDE_UNDO_OPTIONS_INIT;
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    return read_integer(L, index, "limit", &out->step_limit)
           && read_integer(L, index, "byte_limit", &out->byte_limit);
}

int rowtide_lua_audit_entry(lua_State *L, int index, rowtide_audit_entry *out)
{
    int given = options_given(L, index);
    memset(out, 0, sizeof(*out));
    if (given <= 0)
        return given == 0;
    return read_string(L, index, "author", &out->author)
           && read_string(L, index, "label", &out->label)
           && read_string(L, index, "time", &out->time);
}

int rowtide_lua_pull_options(lua_State *L, int index,
                             rowtide_crdt_pull_options *out)
{
    const rowtide_crdt_pull_options defaults = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    const flag_name names[] = {{"only_local", 1}, {NULL, 0}};
    unsigned flags = 0;
    size_t table_count;
    int64_t chunk_size = 0;
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_integer(L, index, "since", &out->since)
        || !read_integer(L, index, "until_", &out->until)
        || !read_bytes(L, index, "exclude", &out->exclude, &out->exclude_size)
        || !read_names(L, index, "tables", &out->tables, &table_count)
        || !read_integer(L, index, "chunk_size", &chunk_size))
        return 0;
    read_flags(L, index, names, &flags);
    out->only_local = flags != 0;
    out->chunk_size = chunk_size < 0 ? 0 : (size_t)chunk_size;
    return 1;
}

int rowtide_lua_run_options(lua_State *L, int index,
                            rowtide_plan_run_options *out)
{
    const rowtide_plan_run_options defaults = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    int given = options_given(L, index);
    *out = defaults;
    if (given <= 0)
        return given == 0;
    if (!read_function(L, index, "progress", &out->progress_user))
        return 0;
    out->progress = out->progress_user ? rowtide_lua_progress : NULL;
    return 1;
}

static const rowtide_field *fields_of(const char *name)
{
    const rowtide_shape *shape = option_shapes;
    while (shape->name && strcmp(shape->name, name) != 0)
        shape++;
    return shape->fields;
}

/* The place of the word on top among those of the field; -1 with a message. */
static int find_word(lua_State *L, const rowtide_field *field)
{
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1)
                                                      : NULL;
    int i;
    for (i = 0; word && field->names[i]; i++)
        if (strcmp(word, field->names[i]) == 0)
            return i;
    lua_pushfstring(L, "option %s: \"%s\" or \"%s\" expected, got %s",
                    field->name, field->names[0], field->names[1],
                    word ? word : luaL_typename(L, -1));
    return -1;
}

static int read_word(lua_State *L, int index, const rowtide_field *field,
                     int *out)
{
    int found;
    if (!push_field(L, index, field->name))
        return 1;
    found = find_word(L, field);
    if (found < 0)
        return 0;
    lua_pop(L, 1);
    *out = found;
    return 1;
}

/* One word, or a list of them, as flags. */
static int read_words(lua_State *L, int index, const rowtide_field *field,
                      unsigned *out)
{
    size_t i, count = 1;
    int is_list;
    if (!push_field(L, index, field->name))
        return 1;
    is_list = lua_istable(L, -1);
    if (is_list)
        count = get_length(L, -1);
    for (i = 0; i < count; i++) {
        int found;
        if (is_list)
            lua_rawgeti(L, -1, (int)(i + 1));
        found = find_word(L, field);
        if (found < 0)
            return 0;
        *out |= 1u << found;
        if (is_list)
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 1;
}

static int read_option(lua_State *L, int index, const rowtide_field *field,
                       void *at)
{
    size_t count;
    switch ((int)field->kind) {
    case ROWTIDE_FIELD_TEXT:
        return read_string(L, index, field->name, at);
    case ROWTIDE_FIELD_TEXTS:
        return read_names(L, index, field->name, at, &count);
    case ROWTIDE_FIELD_ENUM:
        return read_word(L, index, field, at);
    case ROWTIDE_OPTION_FLAGS:
        return read_words(L, index, field, at);
    default:
        lua_getfield(L, index, field->name);
        *(int *)at = lua_toboolean(L, -1);
        lua_pop(L, 1);
        return 1;
    }
}

int rowtide_lua_shaped_options(lua_State *L, int index, const char *name,
                               void *out)
{
    const rowtide_field *field;
    int given = options_given(L, index);
    if (given <= 0)
        return given == 0;
    for (field = fields_of(name); field->name; field++)
        if (!read_option(L, index, field, (char *)out + field->offset))
            return 0;
    return 1;
}

int rowtide_lua_to_names(lua_State *L, int index, const char *const **out)
{
    size_t count;
    rowtide_lua_enter(L);
    *out = NULL;
    if (lua_isnoneornil(L, index))
        return 1;
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "columns");
    return read_names(L, lua_gettop(L), "columns", out, &count);
}

static void push_words(lua_State *L, const char *const *words)
{
    int i;
    lua_newtable(L);
    for (i = 0; words[i]; i++) {
        lua_pushstring(L, words[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* option_types(name): the options that there are, each with what the Lua
 * layer checks it for: a type, or a list of words. */
int rowtide_lua_f_option_types(lua_State *L)
{
    const rowtide_field *field = fields_of(luaL_checkstring(L, 1));
    lua_newtable(L);
    for (; field && field->name; field++) {
        if (field->names)
            push_words(L, field->names);
        else if (field->kind == ROWTIDE_FIELD_TEXT)
            lua_pushliteral(L, "string");
        else if (field->kind == ROWTIDE_FIELD_BOOLEAN)
            lua_pushliteral(L, "boolean");
        else
            lua_pushliteral(L, "any");
        lua_setfield(L, -2, field->name);
    }
    return 1;
}
