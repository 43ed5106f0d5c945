/* Typemaps for the parameter names that rowtide.i lists. A failure is nil, a
 * message and the name of its code; a wrong argument type raises. Everything
 * that is converted stands on the Lua stack until the wrapper returns. */

/* ## Results */

%typemap(out) int {
    if ($1 < 0)
        return rowtide_lua_fail(L, $1);
}
/* Success without anything to hand back is true, the end is false. */
%typemap(ret) int {
    if (SWIG_arg == 0) {
        lua_pushboolean(L, $1 != ROWTIDE_DONE);
        SWIG_arg = 1;
    }
}
%typemap(out) int VALUE {
    lua_pushinteger(L, $1);
    SWIG_arg++;
}
%typemap(ret) int VALUE ""
%typemap(out) int TRUTH {
    if ($1 < 0)
        return rowtide_lua_fail(L, $1);
    lua_pushboolean(L, $1);
    SWIG_arg++;
}
%typemap(ret) int TRUTH ""
%typemap(out) int64_t, size_t {
    rowtide_lua_push_integer(L, (int64_t)$1);
    SWIG_arg++;
}
%typemap(out) int64_t POSITION {
    if ($1 < 0)
        return rowtide_lua_fail(L, (int)$1);
    rowtide_lua_push_integer(L, $1);
    SWIG_arg++;
}
%typemap(out) const char * {
    lua_pushstring(L, $1);
    SWIG_arg++;
}
%typemap(out) rowtide_report_table {
    rowtide_lua_push_report_table(L, &$1);
    SWIG_arg++;
}

/* ## Numbers and text */

%define INTEGER_IN(type)
%typemap(in) type (int64_t number) {
    if (!rowtide_lua_to_integer(L, $input, &number))
        SWIG_fail;
    $1 = (type)number;
}
%enddef
INTEGER_IN(int)
INTEGER_IN(unsigned)
INTEGER_IN(int64_t)
INTEGER_IN(size_t)

%typemap(in) const char * (const char *text) {
    if (!rowtide_lua_to_string(L, $input, &text))
        SWIG_fail;
    $1 = ($1_ltype)text;
}
%typemap(in) (const void *data, size_t size), (const char *json, size_t size) {
    const void *bytes;
    size_t length;
    if (!rowtide_lua_to_bytes(L, $input, &bytes, &length))
        SWIG_fail;
    $1 = ($1_ltype)bytes;
    $2 = length;
}

/* ## What is handed back */

%typemap(in, numinputs=0) int64_t *COUNT (int64_t number = 0) "$1 = &number;"
%typemap(argout) int64_t *COUNT {
    rowtide_lua_push_integer(L, *$1);
    SWIG_arg++;
}
%typemap(in, numinputs=0) const char **LABEL (const char *text = NULL)
    "$1 = ($1_ltype)&text;"
%typemap(argout) const char **LABEL {
    lua_pushstring(L, *$1);
    SWIG_arg++;
}
%typemap(in, numinputs=0) (const void **bytes, size_t *size)
    (const void *data = NULL, size_t length = 0) %{
    $1 = ($1_ltype)&data;
    $2 = &length;
%}
%typemap(argout) (const void **bytes, size_t *size) {
    lua_pushlstring(L, *$2 ? *$1 : "", *$2);
    SWIG_arg++;
}

%define STRUCT_OUT(type, name, push)
%typemap(in, numinputs=0) type *name (type made) "$1 = &made;"
%typemap(argout) type *name {
    if (result == ROWTIDE_OK)
        push(L, $1);
    else
        lua_pushnil(L);
    SWIG_arg++;
}
%enddef
STRUCT_OUT(rowtide_value, value, rowtide_lua_push_value)
STRUCT_OUT(rowtide_change_counts, counts, rowtide_lua_push_counts)
STRUCT_OUT(rowtide_undo_step, out, rowtide_lua_push_step)
STRUCT_OUT(rowtide_report_table, out, rowtide_lua_push_report_table)
STRUCT_OUT(rowtide_crdt_change, change, rowtide_lua_push_crdt_change)

%typemap(in, numinputs=0) unsigned char *site_id
    (unsigned char bytes[ROWTIDE_SITE_ID_SIZE]) "$1 = bytes;"
%typemap(argout) unsigned char *site_id {
    lua_pushlstring(L, (const char *)$1, ROWTIDE_SITE_ID_SIZE);
    SWIG_arg++;
}

%typemap(in, numinputs=0) const rowtide_change **out
    (const rowtide_change *change = NULL) "$1 = ($1_ltype)&change;"
%typemap(argout) const rowtide_change **out {
    rowtide_lua_push_change(L, result == ROWTIDE_OK ? *$1 : NULL);
    SWIG_arg++;
}

/* ## Values */

%typemap(in) const rowtide_value *value (rowtide_value read) {
    if (!rowtide_lua_to_value(L, $input, &read))
        SWIG_fail;
    $1 = &read;
}
%define VALUES_IN(values, total)
%typemap(in) (const rowtide_value *values, size_t total)
    (const rowtide_value *array, size_t length) {
    if (!rowtide_lua_to_values(L, $input, &array, &length))
        SWIG_fail;
    $1 = ($1_ltype)array;
    $2 = length;
}
%enddef
VALUES_IN(old_values, old_count)
VALUES_IN(new_values, new_count)

%typemap(in) const rowtide_crdt_change *change (rowtide_crdt_change read) {
    if (!rowtide_lua_to_crdt_change(L, $input, &read))
        SWIG_fail;
    $1 = &read;
}

/* ## Callbacks. A table filter serves this call only; readers and writers
 * belong to the handle that the call makes. */

%typemap(in) (rowtide_table_filter_cb filter, void *user) {
    if (!lua_isfunction(L, $input)) {
        lua_pushliteral(L, "function expected");
        SWIG_fail;
    }
    $1 = rowtide_lua_filter;
    $2 = rowtide_lua_callback(L, $input, "filter");
}
%define STREAM_IN(type, name, run)
%typemap(in) (type name, void *user) {
    if (!lua_isfunction(L, $input)) {
        lua_pushliteral(L, "function expected");
        SWIG_fail;
    }
    $1 = run;
    $2 = rowtide_lua_callback(L, $input, #name);
    rowtide_lua_anchor(L);
}
%enddef
STREAM_IN(rowtide_read_cb, read, rowtide_lua_read)
STREAM_IN(rowtide_write_cb, write, rowtide_lua_write)

/* ## Options */

%define OPTIONS_IN(type, name, read)
%typemap(in) const type *name (type options) {
    if (!read(L, $input, &options))
        SWIG_fail;
    $1 = &options;
}
%enddef
OPTIONS_IN(rowtide_open_options, options, rowtide_lua_open_options)
OPTIONS_IN(rowtide_capture_options, options, rowtide_lua_capture_options)
OPTIONS_IN(rowtide_diff_options, options, rowtide_lua_diff_options)
OPTIONS_IN(rowtide_apply_options, options, rowtide_lua_apply_options)
OPTIONS_IN(rowtide_render_options, options, rowtide_lua_render_options)
OPTIONS_IN(rowtide_undo_options, options, rowtide_lua_undo_options)
OPTIONS_IN(rowtide_audit_entry, entry, rowtide_lua_audit_entry)
OPTIONS_IN(rowtide_crdt_pull_options, options, rowtide_lua_pull_options)

/* ## Shapes */

%define ROWTIDE_SHAPED(TYPE, SHAPE)
%typemap(out) const TYPE * {
    rowtide_lua_push_item(L, SHAPE(), $1);
    SWIG_arg++;
}
%enddef

%define ROWTIDE_SHAPED_OPTIONS(TYPE, NAME)
%typemap(in) const TYPE *options (TYPE options) {
    memset(&options, 0, sizeof(options));
    options.size = sizeof(options);
    if (!rowtide_lua_shaped_options(L, $input, #NAME, &options))
        SWIG_fail;
    $1 = &options;
}
%enddef

OPTIONS_IN(rowtide_plan_run_options, options, rowtide_lua_run_options)
OPTIONS_IN(rowtide_plan_run_options, run, rowtide_lua_run_options)

%typemap(in) const char *const *columns (const char *const *names) {
    if (!rowtide_lua_to_names(L, $input, &names))
        SWIG_fail;
    $1 = ($1_ltype)names;
}

%typemap(in, numinputs=0) rowtide_buffer *buf_out ""
%typemap(check) rowtide_buffer *buf_out "$1 = rowtide_lua_buffer(L);"
%typemap(argout) rowtide_buffer *buf_out {
    lua_pushlstring(L, $1->data ? $1->data : "", $1->size);
    rowtide_buffer_dispose($1);
    SWIG_arg++;
}
