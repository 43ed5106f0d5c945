#include "base/error.h"
#include "crdt/automigrate.h"

#include <string.h>

/* The schema is run in an empty database first, where it shows what it wants;
 * then what is there is made to fit, and the schema is run again. */

typedef struct migration {
    rowtide__crdt *engine;
    rowtide__crdt *wanted;
    sqlite3 *memory;
    const char *schema;
    const char *stage; /* as cr-sqlite calls what can fail */
} migration;

static int compare_bytes(void *user, int a_size, const void *a, int b_size,
                         const void *b)
{
    int order = memcmp(a, b, (size_t)(a_size < b_size ? a_size : b_size));
    (void)user;
    return order ? order : a_size - b_size;
}

/* Collations of the application matter only where there are rows. */
static void add_collation(void *user, sqlite3 *sqlite, int encoding,
                          const char *name)
{
    (void)user;
    (void)encoding;
    sqlite3_create_collation_v2(sqlite, name, SQLITE_UTF8, NULL, compare_bytes,
                                NULL);
}

/* What the schema does to other files would be done twice, and stay. */
static int authorize(void *user, int action, const char *a, const char *b,
                     const char *schema, const char *trigger)
{
    int *attaches = user;
    (void)a;
    (void)b;
    (void)schema;
    (void)trigger;
    if (action != SQLITE_ATTACH)
        return SQLITE_OK;
    *attaches = 1;
    return SQLITE_DENY;
}

static int run_schema(migration *it)
{
    int attaches = 0;
    sqlite3_set_authorizer(it->memory, authorize, &attaches);
    int rc = rowtide__crdt_exec(it->wanted, "%s", it->schema);
    sqlite3_set_authorizer(it->memory, NULL, NULL);
    return rc != ROWTIDE_OK && attaches
               ? rowtide__fail(ROWTIDE_EINVAL,
                               "a schema may not attach other databases")
               : rc;
}

static int open_wanted(migration *it)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(":memory:", &it->memory, flags, NULL);
    if (rc != SQLITE_OK)
        return it->memory ? rowtide__fail(ROWTIDE_EIO, "%s",
                                          sqlite3_errmsg(it->memory))
                          : rowtide__nomem();
    sqlite3_collation_needed(it->memory, NULL, add_collation);
    int status = rowtide__crdt_register(it->memory, &it->wanted);
    if (status == ROWTIDE_OK)
        status = rowtide__crdt_setup(it->wanted);
    if (status == ROWTIDE_OK)
        status = run_schema(it);
    return status;
}

static void close_wanted(migration *it, const char *cleanup)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    if (it->wanted && cleanup)
        rowtide__crdt_exec(it->wanted, "%s", cleanup);
    if (it->wanted)
        rowtide__crdt_finalize(it->wanted);
    sqlite3_close_v2(it->memory);
    rowtide__error_restore(&error);
}

static int migrate(migration *it)
{
    it->stage = "MISMATCH";
    int rc = rowtide__automigrate_tables(it->engine, it->wanted);
    if (rc == ROWTIDE_OK) {
        it->stage = "ERROR";
        rc = rowtide__crdt_exec(it->engine, "%s", it->schema);
    }
    return rc;
}

static int migrate_in_savepoint(migration *it)
{
    rowtide__error_state error;
    int rc = rowtide__crdt_exec(it->engine, "SAVEPOINT automigrate_tables");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = migrate(it);
    rowtide__crdt_tables_forget(it->engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(it->engine, "RELEASE automigrate_tables");
    if (rc == ROWTIDE_OK)
        return rc;
    rowtide__error_save(&error);
    rowtide__crdt_exec(it->engine, "ROLLBACK TO automigrate_tables");
    rowtide__crdt_exec(it->engine, "RELEASE automigrate_tables");
    rowtide__crdt_tables_forget(it->engine);
    rowtide__error_restore(&error);
    return rc;
}

static void result_error(sqlite3_context *context, const migration *it)
{
    char *message = sqlite3_mprintf("failed to apply the updated schema %s: %s",
                                    it->stage, rowtide_error_message());
    if (message)
        sqlite3_result_error(context, message, -1);
    else
        sqlite3_result_error_nomem(context);
    sqlite3_free(message);
}

static void automigrate(sqlite3_context *context, int count,
                        sqlite3_value **values)
{
    migration it = {sqlite3_user_data(context), NULL, NULL, NULL, "SCHEMA"};
    const char *cleanup = NULL;
    if (count > 0)
        it.schema = (const char *)sqlite3_value_text(values[0]);
    if (count > 1)
        cleanup = (const char *)sqlite3_value_text(values[1]);
    if (!it.schema) {
        sqlite3_result_error(
            context, "Had no args. Expected a schema to migrate to", -1);
        return;
    }
    int rc = open_wanted(&it);
    if (rc == ROWTIDE_OK)
        rc = migrate_in_savepoint(&it);
    close_wanted(&it, cleanup);
    if (rc == ROWTIDE_OK)
        sqlite3_result_text(context, "migration complete", -1, SQLITE_STATIC);
    else if (rc == ROWTIDE_ENOMEM)
        sqlite3_result_error_nomem(context);
    else
        result_error(context, &it);
}

int rowtide__crdt_add_automigrate(rowtide__crdt *engine)
{
    return rowtide__crdt_function(engine, "crsql_automigrate", -1,
                                  SQLITE_UTF8 | SQLITE_DIRECTONLY, automigrate);
}
