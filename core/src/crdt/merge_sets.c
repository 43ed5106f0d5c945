#include "crdt/merge.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* Statements that write several columns of a row at once. */
enum { SETS = 24 };

typedef struct set {
    sqlite3_stmt *stmt;
    enum rowtide__set_kind kind;
    int count, *places;
} set;

struct rowtide__sets {
    set sets[SETS];
    int count;
};

void rowtide__sets_free(rowtide__sets *sets)
{
    for (int i = 0; sets && i < sets->count; i++) {
        sqlite3_finalize(sets->sets[i].stmt);
        rowtide__free(sets->sets[i].places);
    }
    rowtide__free(sets);
}

static int is_set(const set *made, enum rowtide__set_kind kind,
                  const int *places, int count)
{
    return made->kind == kind && made->count == count
           && memcmp(made->places, places, (size_t)count * sizeof *places) == 0;
}

static int prepare_set(rowtide__crdt *engine, const rowtide__crdt_table *table,
                       set *out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__crdt_write_row(table, out->kind, out->places, out->count,
                                     &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_watch(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, &out->stmt, "%s", sql.data);
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int make_set(rowtide__crdt *engine, const rowtide__crdt_table *table,
                    enum rowtide__set_kind kind, const int *places, int count,
                    set *out)
{
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->count = count;
    out->places = rowtide__memdup(places, (size_t)count * sizeof *places);
    if (!out->places)
        return ROWTIDE_ENOMEM;
    int rc = prepare_set(engine, table, out);
    if (rc != ROWTIDE_OK)
        rowtide__free(out->places);
    return rc;
}

int rowtide__merge_find_set(rowtide__crdt *engine, rowtide__crdt_table *table,
                            enum rowtide__set_kind kind, const int *places,
                            int count, sqlite3_stmt **out)
{
    *out = NULL;
    if (!table->sets)
        table->sets = rowtide__alloc_zero(sizeof *table->sets);
    rowtide__sets *all = table->sets;
    if (!all)
        return ROWTIDE_ENOMEM;
    for (int i = 0; i < all->count; i++)
        if (is_set(&all->sets[i], kind, places, count)) {
            *out = all->sets[i].stmt;
            return ROWTIDE_OK;
        }
    if (all->count == SETS)
        return ROWTIDE_OK;
    set *made = &all->sets[all->count];
    int rc = make_set(engine, table, kind, places, count, made);
    if (rc != ROWTIDE_OK)
        return rc;
    all->count++;
    *out = made->stmt;
    return ROWTIDE_OK;
}
