#include "crdt/engine.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

typedef struct site {
    int32_t ordinal;
    size_t size;
    unsigned char id[ROWTIDE_SITE_ID_SIZE];
} site;

enum { CACHED = 64 };

struct rowtide__sites {
    site sites[CACHED];
    int count;
    int next; /* to be replaced */
    int last; /* found last */
};

int rowtide__sites_new(rowtide__sites **out)
{
    *out = rowtide__alloc_zero(sizeof **out);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

void rowtide__sites_free(rowtide__sites *sites)
{
    rowtide__free(sites);
}

void rowtide__sites_forget(rowtide__sites *sites)
{
    sites->count = sites->next = sites->last = 0;
}

static site *remember(rowtide__sites *sites, int32_t ordinal, const void *id,
                      size_t size)
{
    int place = sites->count < CACHED ? sites->count++ : sites->next;
    sites->next = (sites->next + 1) % CACHED;
    sites->last = place;
    site *entry = &sites->sites[place];
    entry->ordinal = ordinal;
    entry->size = size < sizeof entry->id ? size : sizeof entry->id;
    if (size > 0)
        memcpy(entry->id, id, entry->size);
    return entry;
}

static int is_site(const site *entry, const void *id, size_t size)
{
    return entry->size == size && memcmp(entry->id, id, size) == 0;
}

static int find_cached(rowtide__sites *sites, const void *id, size_t size)
{
    if (sites->last < sites->count
        && is_site(&sites->sites[sites->last], id, size))
        return 1;
    for (int i = 0; i < sites->count; i++) {
        if (!is_site(&sites->sites[i], id, size))
            continue;
        sites->last = i;
        return 1;
    }
    return 0;
}

static int run_with(rowtide__crdt *engine, enum rowtide__fixed which,
                    const void *id, size_t size, int32_t *out)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(engine, which, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_blob64(stmt, 1, id, size, SQLITE_STATIC);
    rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK && out)
        *out = (int32_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return rc;
}

static int find_or_add(rowtide__crdt *engine, const void *id, size_t size,
                       int32_t *out)
{
    int rc = run_with(engine, ROWTIDE__SITE_BY_ID, id, size, out);
    if (rc != ROWTIDE_DONE)
        return rc;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    /* PRAGMA count_changes makes a row of it. */
    rc = run_with(engine, ROWTIDE__SITE_ADD, id, size, NULL);
    sqlite3_set_last_insert_rowid(engine->sqlite, rowid);
    if (rc >= 0)
        rc = run_with(engine, ROWTIDE__SITE_BY_ID, id, size, out);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__crdt_site_ordinal(rowtide__crdt *engine, const void *id,
                               size_t size, int32_t *out)
{
    rowtide__sites *sites = engine->sites;
    *out = 0;
    if (!id || size == 0)
        return ROWTIDE_OK;
    if (size > ROWTIDE_SITE_ID_SIZE)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crsql - site id exceeded max length");
    if (!find_cached(sites, id, size)) {
        int rc = find_or_add(engine, id, size, out);
        if (rc != ROWTIDE_OK)
            return rc;
        remember(sites, *out, id, size);
    }
    *out = sites->sites[sites->last].ordinal;
    return ROWTIDE_OK;
}

static int read_site(rowtide__crdt *engine, int32_t ordinal)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__SITE_BY_ORDINAL, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(stmt, 1, ordinal);
    rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK) {
        const void *id = sqlite3_column_blob(stmt, 0);
        remember(engine->sites, ordinal, id,
                 id ? (size_t)sqlite3_column_bytes(stmt, 0) : 0);
    }
    sqlite3_reset(stmt);
    if (rc == ROWTIDE_DONE)
        return rowtide__fail(ROWTIDE_ECORRUPT,
                             "crsql_site_id: site %d is missing", ordinal);
    return rc;
}

int rowtide__crdt_site_of(rowtide__crdt *engine, int32_t ordinal,
                          const void **id, size_t *size)
{
    rowtide__sites *sites = engine->sites;
    int place = sites->last, rc;
    if (place >= sites->count || sites->sites[place].ordinal != ordinal)
        for (place = 0; place < sites->count; place++)
            if (sites->sites[place].ordinal == ordinal)
                break;
    if (place == sites->count) {
        if ((rc = read_site(engine, ordinal)) != ROWTIDE_OK)
            return rc;
        place = sites->last;
    }
    sites->last = place;
    *id = sites->sites[place].id;
    *size = sites->sites[place].size;
    return ROWTIDE_OK;
}
