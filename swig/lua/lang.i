/* What Lua needs before the rooms are read. */

/* A field called "type" hides nothing. */
%warnfilter(321) rowtide_value::type;
/* Options are read from a table, where this is called until_. */
%warnfilter(314) rowtide_crdt_pull_options::until;

%{
#include "support.h"

/* From here on the only use of this is to set two global functions, which a
 * module should not do. */
#undef SWIG_Lua_add_function
#define SWIG_Lua_add_function(L, name, function) ((void)(function))
%}

/* Lua states have no lock to let go of. */
#define %nothread %feature("nothread")
#define %thread %feature("nothread", "0")

/* Functions in plain C, for what is not in the C API or too chatty there. */
%native(metatable) int rowtide_lua_f_metatable(lua_State *L);
%native(null) int rowtide_lua_f_null(lua_State *L);
%native(kind) int rowtide_lua_f_kind(lua_State *L);
%native(release) int rowtide_lua_f_release(lua_State *L);
%native(is_released) int rowtide_lua_f_is_released(lua_State *L);
%native(db_adopt) int rowtide_lua_f_adopt(lua_State *L);
%native(db_pointer) int rowtide_lua_f_pointer(lua_State *L);
%native(stmt_bind_all) int rowtide_lua_f_bind(lua_State *L);
%native(stmt_row) int rowtide_lua_f_row(lua_State *L);
%native(shape_class) int rowtide_lua_f_shape_class(lua_State *L);
%native(option_types) int rowtide_lua_f_option_types(lua_State *L);

%init %{
rowtide_lua_open(L);
%}

/* A handle that was released answers "closed" before C sees it. Nothing that
 * a wrapper holds needs to be freed, so it may return from anywhere. */
%define ROWTIDE_HANDLE(noun)
%typemap(in) rowtide_##noun *, const rowtide_##noun * {
    void *pointer;
    int got = rowtide_lua_get(L, $input, &rowtide_lua_##noun, &pointer);
    if (got < 0)
        SWIG_fail;
    if (got == 0)
        return rowtide_lua_released(L, &rowtide_lua_##noun);
    $1 = pointer;
}
%typemap(in, numinputs=0) rowtide_##noun **out (int made = 0) "$1 = NULL;"
%typemap(check) rowtide_##noun **out {
    $1 = (rowtide_##noun **)rowtide_lua_new(L, &rowtide_lua_##noun);
    made$argnum = lua_gettop(L);
}
%typemap(argout) rowtide_##noun **out {
    lua_pushvalue(L, made$argnum);
    SWIG_arg++;
}
%typemap(in) (rowtide_##noun *const *noun##s, size_t count) {
    void **array;
    size_t length;
    int got = rowtide_lua_get_list(L, $input, &rowtide_lua_##noun, &array,
                                   &length);
    if (got < 0)
        SWIG_fail;
    if (got == 0)
        return rowtide_lua_released(L, &rowtide_lua_##noun);
    $1 = ($1_ltype)array;
    $2 = length;
}
%enddef
