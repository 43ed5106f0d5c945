#include "crdt/api.h"
#include "crdt/enable.h"
#include "base/error.h"

#include <string.h>

int rowtide__crdt_of(rowtide_db *db, rowtide__crdt **out)
{
    int rc = rowtide__crdt_register(rowtide_db_sqlite(db), out);
    return rc == ROWTIDE_OK ? rowtide__crdt_refresh(*out) : rc;
}

int rowtide_crdt_open(rowtide_db *db)
{
    rowtide__crdt *engine;
    int rc = rowtide__db_enter(db, "crdt_open");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    rowtide__db_leave(db);
    return rc;
}

static int change_table(rowtide_db *db, const char *table, const char *function,
                        int (*change)(rowtide__crdt *, const char *))
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(table, function);
    int rc = rowtide__db_enter(db, function);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = change(engine, table);
    rowtide__db_leave(db);
    return rc;
}

int rowtide_crdt_enable(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_enable", rowtide__crdt_enable);
}

int rowtide_crdt_disable(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_disable", rowtide__crdt_disable);
}

static int ask_enabled(rowtide__crdt *engine, const char *table)
{
    int enabled;
    int rc = rowtide__crdt_is_enabled(engine, table, &enabled);
    return rc == ROWTIDE_OK ? enabled : rc;
}

int rowtide_crdt_is_enabled(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_is_enabled", ask_enabled);
}

int rowtide_crdt_begin_alter(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_begin_alter",
                        rowtide__crdt_begin_alter);
}

int rowtide_crdt_commit_alter(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_commit_alter",
                        rowtide__crdt_commit_alter);
}

int rowtide_crdt_rollback_alter(rowtide_db *db, const char *table)
{
    return change_table(db, table, "crdt_rollback_alter",
                        rowtide__crdt_rollback_alter);
}

int rowtide_crdt_site_id(rowtide_db *db, unsigned char *site_id)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(site_id, "crdt_site_id");
    int rc = rowtide__db_enter(db, "crdt_site_id");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_know_site(engine);
    if (rc == ROWTIDE_OK)
        memcpy(site_id, engine->site_id, ROWTIDE_SITE_ID_SIZE);
    rowtide__db_leave(db);
    return rc;
}

int rowtide_crdt_version(rowtide_db *db, int64_t *count_out)
{
    rowtide__crdt *engine;
    ROWTIDE__CHECK_ARG(count_out, "crdt_version");
    *count_out = 0;
    int rc = rowtide__db_enter(db, "crdt_version");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_db_version(engine, count_out);
    rowtide__db_leave(db);
    return rc;
}
