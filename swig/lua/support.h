/* What the typemaps of the Lua module call: handles, values, callbacks and
 * options in plain C. Everything that a call needs for its own time stands on
 * the Lua stack, so that an error may leave a wrapper at any place. */
#ifndef ROWTIDE_LUA_SUPPORT_H
#define ROWTIDE_LUA_SUPPORT_H

#include <lua.h>
#include <rowtide.h>

/* ## Handles: full userdata with a metatable per kind. */

typedef struct rowtide_lua_kind {
    const char *name; /* of the metatable, such as "rowtide.Db" */
    void (*release)(void *pointer);
} rowtide_lua_kind;

extern const rowtide_lua_kind rowtide_lua_db;
extern const rowtide_lua_kind rowtide_lua_stmt;
extern const rowtide_lua_kind rowtide_lua_source;
extern const rowtide_lua_kind rowtide_lua_sink;
extern const rowtide_lua_kind rowtide_lua_changeset;
extern const rowtide_lua_kind rowtide_lua_changeset_iter;
extern const rowtide_lua_kind rowtide_lua_changeset_builder;
extern const rowtide_lua_kind rowtide_lua_capture;
extern const rowtide_lua_kind rowtide_lua_report;
extern const rowtide_lua_kind rowtide_lua_audit;
extern const rowtide_lua_kind rowtide_lua_undo;
extern const rowtide_lua_kind rowtide_lua_primary;
extern const rowtide_lua_kind rowtide_lua_replica;
extern const rowtide_lua_kind rowtide_lua_crdt_pull;
extern const rowtide_lua_kind rowtide_lua_crdt_merge;
extern const rowtide_lua_kind rowtide_lua_crdt_report;
extern const rowtide_lua_kind rowtide_lua_schema;
extern const rowtide_lua_kind rowtide_lua_schema_builder;
extern const rowtide_lua_kind rowtide_lua_schema_difference;
extern const rowtide_lua_kind rowtide_lua_plan;
extern const rowtide_lua_kind rowtide_lua_preflight;
extern const rowtide_lua_kind rowtide_lua_schema_report;

/* Prepare a Lua state: metatables and what callbacks need. */
void rowtide_lua_open(lua_State *L);

/* Push an empty handle and return where its pointer goes. It keeps what
 * rowtide_lua_anchor() named in the same call. */
void **rowtide_lua_new(lua_State *L, const rowtide_lua_kind *kind);

/* Read a handle: 1, or 0 if it was released, or -1 with an error message
 * pushed. nil is NULL, which the core refuses where it must. */
int rowtide_lua_get(lua_State *L, int index, const rowtide_lua_kind *kind,
                    void **out);

/* Push nil, message, "closed". */
int rowtide_lua_released(lua_State *L, const rowtide_lua_kind *kind);

/* Read a list of handles into an array that stands on the stack. Returns as
 * rowtide_lua_get(). */
int rowtide_lua_get_list(lua_State *L, int index, const rowtide_lua_kind *kind,
                         void ***out, size_t *count);

/* Push nil, message, code name of the last error; raises what a callback
 * raised if that was the reason. */
int rowtide_lua_fail(lua_State *L, int status);

/* ## Values. The functions that read return 1, or 0 with a message pushed. */

void rowtide_lua_push_integer(lua_State *L, int64_t value);
int rowtide_lua_to_integer(lua_State *L, int index, int64_t *out);
int rowtide_lua_to_string(lua_State *L, int index, const char **out);
int rowtide_lua_to_bytes(lua_State *L, int index, const void **data,
                         size_t *size);
void rowtide_lua_push_value(lua_State *L, const rowtide_value *value);
int rowtide_lua_to_value(lua_State *L, int index, rowtide_value *out);
/* A table with `n` values; nil is undefined. */
int rowtide_lua_to_values(lua_State *L, int index, const rowtide_value **out,
                          size_t *count);
void rowtide_lua_push_change(lua_State *L, const rowtide_change *change);
void rowtide_lua_push_counts(lua_State *L, const rowtide_change_counts *counts);
void rowtide_lua_push_step(lua_State *L, const rowtide_undo_step *step);
void rowtide_lua_push_report_table(lua_State *L,
                                   const rowtide_report_table *table);
void rowtide_lua_push_conflict(lua_State *L, const rowtide_conflict *conflict);
/* What a value has to be wrapped in so that it comes back as the same SQL
 * value: 1 with that pushed, 0 if it does so by itself. */
int rowtide_lua_push_exact(lua_State *L, const rowtide_value *value);
void rowtide_lua_push_crdt_change(lua_State *L,
                                  const rowtide_crdt_change *change);
int rowtide_lua_to_crdt_change(lua_State *L, int index,
                               rowtide_crdt_change *out);

/* ## Callbacks: a Lua function as `user` of a C one. Made from the function at
 * `index`; pushes what keeps it alive. */

void *rowtide_lua_callback(lua_State *L, int index, const char *what);
/* The next new handle of this call keeps what is on top of the stack. */
void rowtide_lua_anchor(lua_State *L);

int rowtide_lua_read(void *data, size_t *size, void *user);
int rowtide_lua_write(const void *data, size_t size, void *user);
int rowtide_lua_filter(const char *table, void *user);
int rowtide_lua_change_filter(const rowtide_change *change, void *user);
int rowtide_lua_conflict(const rowtide_conflict *conflict, void *user);
int rowtide_lua_progress(const rowtide_progress *progress, void *user);

/* ## Options from a table or nil: 1, or 0 with a message pushed. */

int rowtide_lua_open_options(lua_State *L, int index,
                             rowtide_open_options *out);
int rowtide_lua_capture_options(lua_State *L, int index,
                                rowtide_capture_options *out);
int rowtide_lua_diff_options(lua_State *L, int index,
                             rowtide_diff_options *out);
int rowtide_lua_apply_options(lua_State *L, int index,
                              rowtide_apply_options *out);
int rowtide_lua_render_options(lua_State *L, int index,
                               rowtide_render_options *out);
int rowtide_lua_undo_options(lua_State *L, int index,
                             rowtide_undo_options *out);
int rowtide_lua_audit_entry(lua_State *L, int index, rowtide_audit_entry *out);
int rowtide_lua_pull_options(lua_State *L, int index,
                             rowtide_crdt_pull_options *out);
int rowtide_lua_run_options(lua_State *L, int index,
                            rowtide_plan_run_options *out);
/* The struct that the options of this name are; see schema_options.h. */
int rowtide_lua_shaped_options(lua_State *L, int index, const char *name,
                               void *out);
/* A list of names, or nil for none. */
int rowtide_lua_to_names(lua_State *L, int index, const char *const **out);

/* ## Shapes */

/* Push a table of what a shape describes; nil for NULL. */
void rowtide_lua_push_item(lua_State *L, const rowtide_shape *shape,
                           const void *item);
/* Push an empty buffer, which is released with it. */
rowtide_buffer *rowtide_lua_buffer(lua_State *L);

/* ## Functions that are not in the C API, or too chatty there. */

int rowtide_lua_f_metatable(lua_State *L);
int rowtide_lua_f_null(lua_State *L);
int rowtide_lua_f_kind(lua_State *L);
int rowtide_lua_f_release(lua_State *L);
int rowtide_lua_f_is_released(lua_State *L);
int rowtide_lua_f_adopt(lua_State *L);
int rowtide_lua_f_pointer(lua_State *L);
int rowtide_lua_f_bind(lua_State *L);
int rowtide_lua_f_row(lua_State *L);
int rowtide_lua_f_shape_class(lua_State *L);
int rowtide_lua_f_option_types(lua_State *L);

#endif
