#include "crdt/fract.h"

static rowtide__digits digits_of(sqlite3_value *value)
{
    rowtide__digits out = {NULL, 0};
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return out;
    const char *text = (const char *)sqlite3_value_text(value);
    out.size = (size_t)sqlite3_value_bytes(value);
    out.data = text ? text : "";
    return out;
}

static void key_between(sqlite3_context *context, int count,
                        sqlite3_value **values)
{
    rowtide_buffer key = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&key, ROWTIDE_OK};
    (void)count;
    const char *problem = rowtide__fract_between(digits_of(values[0]),
                                                 digits_of(values[1]), &writer);
    if (problem)
        sqlite3_result_error(context, problem, -1);
    else if (writer.rc != ROWTIDE_OK)
        sqlite3_result_error_nomem(context);
    else
        sqlite3_result_text(context, key.data, (int)key.size, SQLITE_TRANSIENT);
    rowtide_buffer_dispose(&key);
}

int rowtide__crdt_add_fract(rowtide__crdt *engine)
{
    int rc = rowtide__crdt_function(
        engine, "crsql_fract_key_between", 2,
        SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, key_between);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_fract_as_ordered", -1,
                                    SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                    rowtide__fract_as_ordered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(
            engine, "crsql_fract_fix_conflict_return_old_key", -1,
            SQLITE_UTF8 | SQLITE_INNOCUOUS, rowtide__fract_fix_conflict);
    return rc;
}
