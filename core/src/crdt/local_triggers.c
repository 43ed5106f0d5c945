#include "crdt/local.h"
#include "crdt/direct.h"
#include "crdt/merge.h"
#include "crdt/twin.h"
#include "base/error.h"

/* What triggers call. */

static int fail_stale(const rowtide__crdt_table *table)
{
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "table \"%s\" was altered outside crsql_begin_alter "
                         "and crsql_commit_alter: run SELECT "
                         "crsql_commit_alter('%s')",
                         table->name, table->name);
}

/* The triggers of cr-sqlite name the table. */
static int fail_foreign(sqlite3_value *name)
{
    const char *text = (const char *)sqlite3_value_text(name);
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "table \"%s\" takes part in cr-sqlite 0.16: run "
                         "SELECT rowtide_crdt_convert()",
                         text ? text : "");
}

/* It may have changed since the last statement. */
static int reopen_altered(rowtide__crdt *engine, sqlite3_value *id,
                          rowtide__crdt_table **out)
{
    uint64_t seen = engine->schema_seen;
    int rc = rowtide__merge_watch(engine);
    if (rc != ROWTIDE_OK || seen == engine->schema_seen || engine->busy)
        return rc;
    rowtide__crdt_tables_forget(engine);
    return rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out);
}

/* What is known of the table may be old. */
static int join_instead(rowtide__crdt *engine, sqlite3_value *id,
                        rowtide__crdt_table **out)
{
    if (!rowtide__direct_is_entered(engine))
        return ROWTIDE_OK;
    int rc = rowtide__direct_cancel(engine);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out)
               : rc;
}

int rowtide__local_open(rowtide__crdt *engine, sqlite3_value *id,
                        rowtide__crdt_table **out)
{
    int rc = rowtide__local_check_main(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK && sqlite3_value_type(id) == SQLITE_TEXT)
        rc = fail_foreign(id);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out);
    if (rc == ROWTIDE_OK && ((*out)->altering || (*out)->folding))
        rc = join_instead(engine, id, out);
    if (rc == ROWTIDE_OK && (*out)->altering)
        return reopen_altered(engine, id, out);
    if (rc == ROWTIDE_OK && (*out)->stale)
        rc = fail_stale(*out);
    return rc;
}

int rowtide__local_key(rowtide__crdt *engine, rowtide__crdt_table *table,
                       sqlite3_value **argv, rowtide__key *key)
{
    rowtide_value values[128];
    int rc = ROWTIDE_OK;
    if (table->integer_key && sqlite3_value_type(argv[0]) == SQLITE_INTEGER) {
        rowtide__key_of_integer(sqlite3_value_int64(argv[0]), key);
        return rowtide__merge_yield(engine, table, key);
    }
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_argument(argv[i], &values[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_pack(table, values, &engine->key, key);
    return rc == ROWTIDE_OK ? rowtide__merge_yield(engine, table, key) : rc;
}

typedef int (*row_change)(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock);

int rowtide__local_bury_twin(rowtide__crdt *engine, rowtide__crdt_table *table,
                             const rowtide__key *key)
{
    rowtide__key gone;
    rowtide__clock *clock = &engine->work;
    if (!table->folding || !rowtide__twin_take(engine, table, key, &gone))
        return ROWTIDE_OK;
    int rc = rowtide__clock_load(engine, table, &gone, clock);
    if (rc != ROWTIDE_OK || rowtide__clock_length(clock) % 2 == 0)
        return rc;
    rc = rowtide__local_delete(engine, clock);
    return rc == ROWTIDE_OK ? rowtide__crdt_put(engine, table, &gone, clock)
                            : rc;
}

static int change_row(rowtide__crdt *engine, int argc, sqlite3_value **argv,
                      row_change change)
{
    rowtide__crdt_table *table;
    rowtide__key key;
    int rc = rowtide__local_open(engine, argv[0], &table);
    if (rc == ROWTIDE_OK && argc - 1 != table->key_count)
        rc = rowtide__fail(ROWTIDE_EINVAL, "expected %d values, got %d",
                           table->key_count, argc - 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_key(engine, table, argv + 1, &key);
    if (rc == ROWTIDE_OK && rowtide__merge_is_writing(engine, table, &key)) {
        engine->merge->inserted += change == rowtide__local_insert;
        engine->merge->deleted += change != rowtide__local_insert;
        return ROWTIDE_OK;
    }
    if (rc == ROWTIDE_OK && change == rowtide__local_insert)
        rc = rowtide__local_bury_twin(engine, table, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, table, &key, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = change(engine, table, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_put(engine, table, &key, &engine->work);
    return rc;
}

static int delete_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__clock *clock)
{
    (void)table;
    return rowtide__local_delete(engine, clock);
}

typedef int (*tracked)(rowtide__crdt *engine, int argc, sqlite3_value **argv);

static int track(rowtide__crdt *engine, int argc, sqlite3_value **argv,
                 tracked call)
{
    rowtide__direct_enter(engine);
    int rc = rowtide__direct_leave(engine, call(engine, argc, argv));
    return rc == ROWTIDE_DONE ? call(engine, argc, argv) : rc;
}

static int track_insert(rowtide__crdt *engine, int argc, sqlite3_value **argv)
{
    return change_row(engine, argc, argv, rowtide__local_insert);
}

static int track_delete(rowtide__crdt *engine, int argc, sqlite3_value **argv)
{
    return change_row(engine, argc, argv, delete_row);
}

static void end_call(sqlite3_context *context, rowtide__crdt *engine, int rc)
{
    if (rc != ROWTIDE_OK)
        rowtide__crdt_result_error(context, rowtide__crdt_failed(engine, rc));
}

int rowtide__local_applies(const rowtide__crdt *engine)
{
    return !engine->sync_bit || engine->merging;
}

static int is_applicable(const rowtide__crdt *engine, int argc, int least)
{
    return argc >= least && rowtide__local_applies(engine);
}

static void after_insert(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 2))
        end_call(context, engine, track(engine, argc, argv, track_insert));
}

static void after_delete(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 2))
        end_call(context, engine, track(engine, argc, argv, track_delete));
}

static void after_update(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 4))
        end_call(context, engine,
                 track(engine, argc, argv, rowtide__local_track_update));
}

/* Before all columns are read for nothing. */
static void is_tracked(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    (void)argc;
    (void)argv;
    sqlite3_result_int(context, is_applicable(engine, 0, 0)
                                    && !rowtide__merge_is_alone(engine));
}

int rowtide__crdt_add_local(rowtide__crdt *engine)
{
    int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    int rc = rowtide__crdt_function(engine, "crsql_after_insert", -1, flags,
                                    after_insert);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_after_delete", -1, flags,
                                    after_delete);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_after_update", -1, flags,
                                    after_update);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_is_tracked", 0, flags,
                                    is_tracked);
    return rc;
}
