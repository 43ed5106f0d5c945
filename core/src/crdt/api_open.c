#include "crdt/api.h"

#include "base/error.h"

#include <string.h>

static int fail_gone(rowtide_db *db)
{
    return rowtide__fail(ROWTIDE_ECLOSED, "%s: the connection is closed",
                         rowtide_db_path(db));
}

int rowtide__crdt_of(rowtide_db *db, rowtide__crdt **out)
{
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    *out = NULL;
    int rc = sqlite ? rowtide__crdt_register(sqlite, out) : fail_gone(db);
    return rc == ROWTIDE_OK ? rowtide__crdt_refresh(*out) : rc;
}

static int enter(rowtide_db *db, const char *function, rowtide__crdt **engine)
{
    int rc = rowtide__db_enter(db, function);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, engine);
    if (rc != ROWTIDE_OK)
        rowtide__db_leave(db);
    return rc;
}

int rowtide_crdt_open(rowtide_db *db)
{
    rowtide__crdt *engine;
    int rc = enter(db, "crdt_open", &engine);
    if (rc == ROWTIDE_OK)
        rowtide__db_leave(db);
    return rc;
}

typedef int (*table_verb)(rowtide__crdt *engine, const char *table);

static int call_verb(rowtide_db *db, const char *table, table_verb verb,
                     const char *function)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(table, function);
    int rc = enter(db, function, &engine);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = verb(engine, table);
    rowtide__db_leave(db);
    return rc;
}

int rowtide_crdt_enable(rowtide_db *db, const char *table)
{
    return call_verb(db, table, rowtide__crdt_enable, "crdt_enable");
}

int rowtide_crdt_disable(rowtide_db *db, const char *table)
{
    return call_verb(db, table, rowtide__crdt_disable, "crdt_disable");
}

int rowtide_crdt_begin_alter(rowtide_db *db, const char *table)
{
    return call_verb(db, table, rowtide__crdt_begin_alter, "crdt_begin_alter");
}

int rowtide_crdt_commit_alter(rowtide_db *db, const char *table)
{
    return call_verb(db, table, rowtide__crdt_commit_alter,
                     "crdt_commit_alter");
}

static int find_table(rowtide__crdt *engine, const char *name)
{
    rowtide__crdt_table *table = NULL;
    int rc = rowtide__crdt_table_find(engine, name, &table);
    if (rc == ROWTIDE_OK)
        return table && !table->dropped;
    if (rc == ROWTIDE_ESCHEMA && !table) {
        rowtide_error_clear();
        return 0;
    }
    return rc;
}

int rowtide_crdt_is_enabled(rowtide_db *db, const char *table)
{
    return call_verb(db, table, find_table, "crdt_is_enabled");
}

int rowtide_crdt_site_id(rowtide_db *db, unsigned char *site_id)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(site_id, "crdt_site_id");
    int rc = enter(db, "crdt_site_id", &engine);
    if (rc != ROWTIDE_OK)
        return rc;
    memcpy(site_id, engine->site_id, ROWTIDE_SITE_ID_SIZE);
    rowtide__db_leave(db);
    return ROWTIDE_OK;
}

int rowtide_crdt_version(rowtide_db *db, int64_t *count_out)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(count_out, "crdt_version");
    *count_out = 0;
    int rc = enter(db, "crdt_version", &engine);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_db_version(engine, count_out);
    rowtide__db_leave(db);
    return rc;
}
