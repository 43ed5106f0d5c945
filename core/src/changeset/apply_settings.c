#include "changeset/apply.h"
#include "base/error.h"
#include "db/sql.h"

static int get_config(sqlite3 *sqlite, int what)
{
    int value = 0;
    sqlite3_db_config(sqlite, what, -1, &value);
    return value;
}

/* Setting it again would expire every prepared statement. */
static void set_config(sqlite3 *sqlite, int what, int value)
{
    if (get_config(sqlite, what) != value)
        sqlite3_db_config(sqlite, what, value, (int *)NULL);
}

static int set_defer(rowtide__apply *apply, int value)
{
    return rowtide__sql_exec(apply->db, "PRAGMA defer_foreign_keys=%d", value);
}

int rowtide__apply_settings_change(rowtide__apply *apply)
{
    rowtide__apply_settings *settings = &apply->settings;
    int64_t defer;
    int rc = rowtide__sql_integer(apply->db, &defer, 0,
                                  "PRAGMA defer_foreign_keys");
    if (rc != ROWTIDE_OK)
        return rc;
    settings->defer_foreign_keys = defer != 0;
    settings->foreign_keys = get_config(apply->sqlite,
                                        SQLITE_DBCONFIG_ENABLE_FKEY);
    settings->triggers = get_config(apply->sqlite,
                                    SQLITE_DBCONFIG_ENABLE_TRIGGER);
    settings->last_insert_rowid = sqlite3_last_insert_rowid(apply->sqlite);
    settings->saved = 1;
    if (settings->foreign_keys && !settings->defer_foreign_keys)
        rc = set_defer(apply, 1);
    return rc == ROWTIDE_OK ? rowtide__apply_settings_unquiet(apply) : rc;
}

int rowtide__apply_settings_quiet(rowtide__apply *apply)
{
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, 0);
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0);
    return ROWTIDE_OK;
}

int rowtide__apply_settings_unquiet(rowtide__apply *apply)
{
    unsigned flags = apply->options.flags;
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY,
               apply->settings.foreign_keys
                   && !(flags & ROWTIDE_APPLY_FK_NO_ACTION));
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER,
               apply->settings.triggers
                   && !(flags & ROWTIDE_APPLY_NO_TRIGGERS));
    return ROWTIDE_OK;
}

/* What the handler let pass shall not hold up our own commit. */
int rowtide__apply_settings_relent(rowtide__apply *apply)
{
    if (apply->transaction.nested || !apply->settings.foreign_keys)
        return ROWTIDE_OK;
    return set_defer(apply, 0);
}

/* Runs after errors too, whose message stays. */
void rowtide__apply_settings_restore(rowtide__apply *apply)
{
    rowtide__apply_settings *settings = &apply->settings;
    if (!settings->saved || !rowtide_db_is_open(apply->db))
        return;
    rowtide__error_state error;
    rowtide__error_save(&error);
    settings->saved = 0;
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_FKEY,
               settings->foreign_keys);
    set_config(apply->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER,
               settings->triggers);
    int64_t defer;
    if (rowtide__sql_integer(apply->db, &defer, 0, "PRAGMA defer_foreign_keys")
            == ROWTIDE_OK
        && (defer != 0) != settings->defer_foreign_keys)
        set_defer(apply, settings->defer_foreign_keys);
    sqlite3_set_last_insert_rowid(apply->sqlite, settings->last_insert_rowid);
    rowtide__error_restore(&error);
}

int rowtide__apply_still_open(rowtide__apply *apply)
{
    if (rowtide__db_check_open(apply->db, "apply") != ROWTIDE_OK)
        return rowtide__fail(ROWTIDE_EMISUSE, "%s", rowtide_error_message());
    return rowtide__transaction_check(&apply->transaction);
}
