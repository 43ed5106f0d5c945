#include "schema/merging.h"
#include "db/sql.h"

const char rowtide__merging_reason[] =
    "the table takes part in merging: call crsql_begin_alter() first and "
    "crsql_commit_alter() after it";

/* The second trigger is there between these two. */
static const char SQL_BLOCKS[] =
    "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger'"
    " AND name = %Q || '__crsql_itrig' COLLATE NOCASE"
    " AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger'"
    " AND name = %Q || '__crsql_mtrig' COLLATE NOCASE)";

int rowtide__merging_blocks(rowtide_db *db, const char *table, int64_t *out)
{
    return rowtide__sql_integer(db, out, 0, SQL_BLOCKS, table, table);
}
