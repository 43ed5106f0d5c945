#include "changeset/apply.h"
#include "base/error.h"
#include "db/sql.h"

/* Table, rowid, parent and number of the key. */
enum { COLUMNS = 4 };

/* Sorted. The first one that `before` does not have is described. */
static int collect(rowtide__apply *apply, rowtide__violations *list,
                   char *first, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__sql_prepare(apply->db, &stmt,
                                  "PRAGMA main.foreign_key_check");
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(apply->db, stmt)) == ROWTIDE_OK) {
        uint64_t item = rowtide__violation_hash(stmt, COLUMNS);
        if (first && !first[0]
            && !rowtide__violations_has(&apply->fk_before, item))
            rowtide__violation_describe(stmt, first, size);
        rc = rowtide__violations_add(list, item);
    }
    sqlite3_finalize(stmt);
    if (rc != ROWTIDE_DONE)
        return rc;
    rowtide__violations_sort(list);
    return ROWTIDE_OK;
}

static int counter_is_up(const rowtide__apply *apply)
{
    int now = 0, high = 0;
    sqlite3_db_status(apply->sqlite, SQLITE_DBSTATUS_DEFERRED_FKS, &now, &high,
                      0);
    return now != 0;
}

int rowtide__apply_foreign_keys_before(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys)
        return ROWTIDE_OK;
    apply->check_foreign_keys = (apply->options.flags
                                 & ROWTIDE_APPLY_FK_NO_ACTION)
                                || counter_is_up(apply);
    if (!apply->check_foreign_keys)
        return ROWTIDE_OK;
    return collect(apply, &apply->fk_before, NULL, 0);
}

int rowtide__apply_foreign_keys_uncounted(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys || apply->check_foreign_keys)
        return ROWTIDE_OK;
    apply->check_foreign_keys = 1;
    if (counter_is_up(apply))
        return ROWTIDE_OK;
    return collect(apply, &apply->fk_before, NULL, 0);
}

int rowtide__apply_foreign_keys_after(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys
        || (!apply->check_foreign_keys && !counter_is_up(apply)))
        return ROWTIDE_OK;
    rowtide__violations after = {NULL, 0, 0};
    char first[300] = "";
    int rc = collect(apply, &after, first, sizeof first);
    int64_t count = rc == ROWTIDE_OK
                        ? rowtide__violations_new(&apply->fk_before, &after)
                        : 0;
    rowtide__violations_dispose(&after);
    if (rc != ROWTIDE_OK || count == 0)
        return rc;
    return rowtide__apply_decide_foreign_keys(apply, count, first);
}
