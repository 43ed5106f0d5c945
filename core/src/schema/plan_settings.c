#include "schema/plan.h"

/* sqlite3_db_config() and not PRAGMA: it has no way to fail, and an authorizer
 * cannot keep us from putting things back. */
int rowtide__setting(sqlite3 *sqlite, int which, int on)
{
    int now = 0;
    sqlite3_db_config(sqlite, which, on, &now);
    return now;
}

void rowtide__settings_save(sqlite3 *sqlite, rowtide__settings *out)
{
    out->sqlite = sqlite;
    out->foreign_keys = rowtide__setting(sqlite, SQLITE_DBCONFIG_ENABLE_FKEY,
                                         -1);
    out->legacy_alter = rowtide__setting(
        sqlite, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, -1);
    out->writable_schema = rowtide__setting(
        sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA, -1);
    out->dqs_ddl = rowtide__setting(sqlite, SQLITE_DBCONFIG_DQS_DDL, -1);
}

void rowtide__settings_restore(const rowtide__settings *settings)
{
    sqlite3 *sqlite = settings->sqlite;
    rowtide__setting(sqlite, SQLITE_DBCONFIG_ENABLE_FKEY,
                     settings->foreign_keys);
    rowtide__setting(sqlite, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE,
                     settings->legacy_alter);
    rowtide__setting(sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA,
                     settings->writable_schema);
    rowtide__setting(sqlite, SQLITE_DBCONFIG_DQS_DDL, settings->dqs_ddl);
}
