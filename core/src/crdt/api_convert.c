#include "crdt/api.h"

int rowtide_crdt_convert(rowtide_db *db, int64_t *count_out)
{
    rowtide__crdt *engine;
    int64_t count = 0;
    if (count_out)
        *count_out = 0;
    int rc = rowtide__db_enter(db, "crdt_convert");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_of(db, &engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_convert(engine, &count);
    rowtide__db_leave(db);
    if (rc == ROWTIDE_OK && count_out)
        *count_out = count;
    return rc;
}
