#include "crdt/engine.h"
#include "crdt/pack.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

static rowtide__crdt *engine_of(sqlite3_context *context)
{
    return sqlite3_user_data(context);
}

/* ## Who and when */

static void site_id(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    rowtide__crdt *engine = engine_of(context);
    (void)argc;
    (void)argv;
    int rc = rowtide__crdt_know_site(engine);
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
    else
        sqlite3_result_blob(context, engine->site_id, ROWTIDE_SITE_ID_SIZE,
                            SQLITE_TRANSIENT);
}

static void db_version(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    int64_t version;
    (void)argc;
    (void)argv;
    int rc = rowtide__crdt_db_version(engine_of(context), &version);
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
    else
        sqlite3_result_int64(context, version);
}

static void next_db_version(sqlite3_context *context, int argc,
                            sqlite3_value **argv)
{
    int64_t version, least = argc > 0 ? sqlite3_value_int64(argv[0]) : 0;
    int rc = ROWTIDE_OK;
    if (least > ROWTIDE__FAR_VERSION)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "crsql_next_db_version: the version is so great "
                           "that it would stop the clock");
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_next_version(engine_of(context), least, &version);
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
    else
        sqlite3_result_int64(context, version);
}

static void rows_impacted(sqlite3_context *context, int argc,
                          sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_int64(context, engine_of(context)->impacted);
}

static void sha(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_text(context, "rowtide-" ROWTIDE_VERSION, -1, SQLITE_STATIC);
}

static void internal_sync_bit(sqlite3_context *context, int argc,
                              sqlite3_value **argv)
{
    rowtide__crdt *engine = engine_of(context);
    if (argc > 0)
        engine->sync_bit = sqlite3_value_int(argv[0]);
    sqlite3_result_int(context, engine->sync_bit);
}

static void get_seq(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_int64(context, engine_of(context)->sequence);
}

static void increment_and_get_seq(sqlite3_context *context, int argc,
                                  sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_int64(context, engine_of(context)->sequence++);
}

/* ## Settings */

static int is_setting(sqlite3_context *context, sqlite3_value *name)
{
    const char *text = (const char *)sqlite3_value_text(name);
    if (text && strcmp(text, "merge-equal-values") == 0)
        return 1;
    sqlite3_result_error(context, "Unknown setting name", -1);
    return 0;
}

static void config_set(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    rowtide__crdt *engine = engine_of(context);
    (void)argc;
    if (!is_setting(context, argv[0]))
        return;
    if (sqlite3_value_numeric_type(argv[1]) != SQLITE_INTEGER) {
        sqlite3_result_error(context, "merge-equal-values is 0 or 1", -1);
        return;
    }
    int on = sqlite3_value_int64(argv[1]) == 1;
    int rc = rowtide__crdt_exec(engine,
                                "REPLACE INTO main.crsql_master VALUES("
                                "'config.merge-equal-values', %lld)",
                                (long long)sqlite3_value_int64(argv[1]));
    if (rc < 0) {
        rowtide__crdt_result_error(context, rc);
        return;
    }
    engine->merge_equal_values = on;
    sqlite3_result_int64(context, sqlite3_value_int64(argv[1]));
}

static void config_get(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    if (is_setting(context, argv[0]))
        sqlite3_result_int(context, engine_of(context)->merge_equal_values);
}

/* ## Packed keys */

static void pack_columns(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide_buffer packed = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&packed, ROWTIDE_OK};
    rowtide_value value;
    int rc = ROWTIDE_OK;
    rowtide__write_byte(&writer, argc);
    for (int i = 0; i < argc && rc == ROWTIDE_OK; i++) {
        rc = rowtide__crdt_argument(argv[i], &value);
        if (rc == ROWTIDE_OK)
            rowtide__pack_value(&writer, &value);
    }
    if (rc == ROWTIDE_OK)
        rc = writer.rc;
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
    else
        sqlite3_result_blob64(context, packed.data, packed.size,
                              SQLITE_TRANSIENT);
    rowtide_buffer_dispose(&packed);
}

/* ## Tables */

typedef int (*table_change)(rowtide__crdt *engine, const char *table);

/* The name is the last argument; a schema may come before it. */
static int change_table(sqlite3_context *context, int argc,
                        sqlite3_value **argv, const char *function,
                        table_change change)
{
    if (argc < 1 || argc > 2) {
        /* Lines break where programs that compare the text expect it. */
        int alters = strcmp(function, "crsql_as_crr") != 0;
        char *message = sqlite3_mprintf(
            "Wrong number of args provided to %s. Provide the %s"
            "name and table name or just the table name.",
            function, alters ? "\n          schema " : "schema \n          ");
        sqlite3_result_error(context, message ? message : "", -1);
        sqlite3_free(message);
        return 0;
    }
    const char *table = (const char *)sqlite3_value_text(argv[argc - 1]);
    int rc = table
                 ? change(engine_of(context), table)
                 : rowtide__fail(ROWTIDE_EINVAL,
                                 "%s: the name of the table is NULL", function);
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
    return rc >= 0;
}

static void as_crr(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    if (change_table(context, argc, argv, "crsql_as_crr", rowtide__crdt_enable))
        sqlite3_result_text(context, "OK", -1, SQLITE_STATIC);
}

static void as_table(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    change_table(context, argc, argv, "crsql_as_table", rowtide__crdt_disable);
}

static void begin_alter(sqlite3_context *context, int argc,
                        sqlite3_value **argv)
{
    if (change_table(context, argc, argv, "crsql_begin_alter",
                     rowtide__crdt_begin_alter))
        sqlite3_result_text(context, "OK", -1, SQLITE_STATIC);
}

static void commit_alter(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    /* crsql_commit_alter('schema', 'table', 1) is an old form. */
    if (argc == 3)
        argc = 2;
    change_table(context, argc, argv, "crsql_commit_alter",
                 rowtide__crdt_commit_alter);
}

static void rollback_alter(sqlite3_context *context, int argc,
                           sqlite3_value **argv)
{
    change_table(context, argc, argv, "rowtide_crdt_rollback_alter",
                 rowtide__crdt_rollback_alter);
}

static void finalize(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_text(context, "finalized", -1, SQLITE_STATIC);
}

typedef struct function {
    const char *name;
    int count;
    int flags;
    void (*call)(sqlite3_context *, int, sqlite3_value **);
} function;

static const function FUNCTIONS[] = {
    {"crsql_site_id", 0, SQLITE_INNOCUOUS, site_id},
    {"crsql_db_version", 0, SQLITE_INNOCUOUS, db_version},
    {"crsql_next_db_version", -1, SQLITE_INNOCUOUS, next_db_version},
    {"crsql_rows_impacted", 0, SQLITE_INNOCUOUS, rows_impacted},
    {"crsql_sha", 0, SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, sha},
    {"crsql_internal_sync_bit", -1, SQLITE_INNOCUOUS, internal_sync_bit},
    {"crsql_get_seq", 0, SQLITE_INNOCUOUS, get_seq},
    {"crsql_increment_and_get_seq", 0, SQLITE_INNOCUOUS, increment_and_get_seq},
    {"crsql_config_set", 2, 0, config_set},
    {"crsql_config_get", 1, SQLITE_INNOCUOUS, config_get},
    {"crsql_pack_columns", -1, SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC,
     pack_columns},
    {"crsql_as_crr", -1, SQLITE_DIRECTONLY, as_crr},
    {"crsql_as_table", 1, SQLITE_DIRECTONLY, as_table},
    {"crsql_begin_alter", -1, SQLITE_DIRECTONLY, begin_alter},
    {"crsql_commit_alter", -1, SQLITE_DIRECTONLY, commit_alter},
    {"rowtide_crdt_rollback_alter", -1, SQLITE_DIRECTONLY, rollback_alter},
    {"crsql_finalize", -1, SQLITE_DIRECTONLY, finalize},
};

int rowtide__crdt_add_functions(rowtide__crdt *engine)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        const function *made = &FUNCTIONS[i];
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_function(engine, made->name, made->count,
                                        SQLITE_UTF8 | made->flags, made->call);
    }
    return rc;
}
