#include "crdt/enable.h"

int rowtide__crdt_create_views(rowtide__crdt *engine,
                               const rowtide__crdt_table *table)
{
    (void)engine;
    (void)table;
    return ROWTIDE_OK;
}

int rowtide__crdt_drop_views(rowtide__crdt *engine, const char *name)
{
    return rowtide__crdt_exec(engine,
                              "DROP VIEW IF EXISTS main.\"%w__crsql_clock\"; "
                              "DROP VIEW IF EXISTS main.\"%w__crsql_pks\"",
                              name, name);
}

int rowtide__crdt_add_views(rowtide__crdt *engine)
{
    (void)engine;
    return ROWTIDE_OK;
}
