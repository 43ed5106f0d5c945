#include "crdt/twin.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

void rowtide__twin_free(rowtide__crdt *engine)
{
    if (!engine->twin)
        return;
    rowtide_buffer_dispose(&engine->twin->gone);
    rowtide_buffer_dispose(&engine->twin->come);
    rowtide__free(engine->twin);
    engine->twin = NULL;
}

static int open_note(rowtide__crdt *engine)
{
    if (!engine->twin)
        engine->twin = rowtide__alloc_zero(sizeof *engine->twin);
    if (!engine->twin)
        return ROWTIDE_ENOMEM;
    engine->twin->table = NULL;
    return ROWTIDE_OK;
}

static int is_packed(const rowtide_buffer *packed, const rowtide__key *key)
{
    return packed->size == key->size
           && memcmp(packed->data, key->data, key->size) == 0;
}

int rowtide__twin_take(rowtide__crdt *engine, rowtide__crdt_table *table,
                       const rowtide__key *key, rowtide__key *gone)
{
    struct rowtide__twin *twin = engine->twin;
    if (!twin || twin->table != table || !is_packed(&twin->come, key))
        return 0;
    twin->table = NULL;
    memset(gone, 0, sizeof *gone);
    gone->data = twin->gone.data;
    gone->size = twin->gone.size;
    return 1;
}

static int pack_arguments(rowtide__crdt_table *table, sqlite3_value **argv,
                          rowtide_buffer *out)
{
    rowtide_value values[128];
    rowtide__key key;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_argument(argv[i], &values[i]);
    return rc == ROWTIDE_OK ? rowtide__key_pack(table, values, out, &key) : rc;
}

static int is_same(const rowtide_buffer *a, const rowtide_buffer *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* `found` is the key of the row that is equal to what is coming. */
static int note_twin(rowtide__crdt *engine, rowtide__crdt_table *table,
                     sqlite3_value **keys, sqlite3_value **old,
                     sqlite3_value **found)
{
    struct rowtide__twin *twin = engine->twin;
    int rc = pack_arguments(table, found, &twin->gone);
    /* The row may only be taking another spelling. */
    if (rc == ROWTIDE_OK && old)
        rc = pack_arguments(table, old, &twin->come);
    if (rc != ROWTIDE_OK || (old && is_same(&twin->gone, &twin->come)))
        return rc;
    rc = pack_arguments(table, keys, &twin->come);
    if (rc == ROWTIDE_OK && !is_same(&twin->gone, &twin->come))
        twin->table = table;
    return rc;
}

/* ## What triggers call */

static void before_write(sqlite3_context *context, int argc,
                         sqlite3_value **argv, int updates)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    rowtide__crdt_table *table;
    if ((engine->sync_bit && !engine->merging) || argc < 3)
        return;
    int rc = open_note(engine);
    /* The tables may have to be read again: before one is noted. */
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_by_id(engine, sqlite3_value_int64(argv[0]),
                                       &table);
    if (rc == ROWTIDE_OK && argc - 1 == table->key_count * (2 + updates))
        rc = note_twin(engine, table, argv + 1,
                       updates ? argv + 1 + table->key_count : NULL,
                       argv + argc - table->key_count);
    if (rc < 0)
        rowtide__crdt_result_error(context, rc);
}

static void before_insert(sqlite3_context *context, int argc,
                          sqlite3_value **argv)
{
    before_write(context, argc, argv, 0);
}

static void before_update(sqlite3_context *context, int argc,
                          sqlite3_value **argv)
{
    before_write(context, argc, argv, 1);
}

int rowtide__crdt_add_twin(rowtide__crdt *engine)
{
    int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    int rc = rowtide__crdt_function(engine, "crsql_before_insert", -1, flags,
                                    before_insert);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_function(engine, "crsql_before_update", -1,
                                        flags, before_update)
               : rc;
}
