#include "crdt/local.h"
#include "base/error.h"

/* Tables of an attached database have the same numbers as ours, and a trigger
 * does not know which database it is in. */

/* The nth database, from 2 on; NULL if there is none. */
static const char *name_of(rowtide__crdt *engine, int nth)
{
#if SQLITE_VERSION_NUMBER >= 3039000
    return sqlite3_libversion_number() >= 3039000
               ? sqlite3_db_name(engine->sqlite, nth)
               : NULL;
#else
    (void)engine;
    (void)nth;
    return NULL;
#endif
}

static int takes_part(rowtide__crdt *engine, const char *name, int *out)
{
    int64_t found;
    int rc = rowtide__crdt_integer(engine, &found, 0,
                                   "SELECT count(*) FROM \"%w\".sqlite_master "
                                   "WHERE name = 'rowtide_crdt_table'",
                                   name);
    *out = found > 0;
    return rc;
}

static int check_attached(rowtide__crdt *engine, const char *name)
{
    int ours;
    int rc = takes_part(engine, name, &ours);
    if (rc == ROWTIDE_OK && ours)
        rc = rowtide__fail(
            ROWTIDE_EMISUSE,
            "the attached database \"%s\" has tables that take part too: write "
            "to it in another transaction, through a connection of its own",
            name);
    return rc;
}

int rowtide__local_check_main(rowtide__crdt *engine)
{
    const char *name;
    if (!engine->joined
        && sqlite3_txn_state(engine->sqlite, "main") != SQLITE_TXN_WRITE)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "tables that take part can be written to in the "
                             "main database only, or by a trigger");
    if (engine->harmless_serial != engine->serial)
        engine->harmless = 0;
    engine->harmless_serial = engine->serial;
    for (int i = 2; (name = name_of(engine, i)) != NULL; i++) {
        unsigned bit = 1u << (i % 32);
        if ((engine->harmless & bit)
            || sqlite3_txn_state(engine->sqlite, name) != SQLITE_TXN_WRITE)
            continue;
        int rc = check_attached(engine, name);
        if (rc != ROWTIDE_OK)
            return rc;
        engine->harmless |= bit;
    }
    return ROWTIDE_OK;
}
