#include "crdt/local.h"
#include "crdt/merge_change.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

typedef rowtide__merge merge;

static int prepare_is(merge *work, sqlite3_stmt **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    const char *name = work->table->columns[work->column].name;
    int rc = rowtide__crdt_write_keyed(work->table, "SELECT IS", name, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(work->engine, out, "%s", sql.data);
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int fail_missing(const merge *work)
{
    return rowtide__fail(ROWTIDE_ENOTFOUND,
                         "could not find row to merge with for tbl %s",
                         work->table->name);
}

/* By the rules for declared types, of which only REAL is told apart here. */
static int is_real_column(merge *work, int *out)
{
    int64_t real;
    int rc = rowtide__crdt_integer(
        work->engine, &real, 0,
        "SELECT type NOT LIKE '%%INT%%' AND type NOT LIKE '%%CHAR%%' AND type "
        "NOT LIKE '%%CLOB%%' AND type NOT LIKE '%%TEXT%%' AND type NOT LIKE "
        "'%%BLOB%%' AND (type LIKE '%%REAL%%' OR type LIKE '%%FLOA%%' OR type "
        "LIKE '%%DOUB%%') FROM pragma_table_xinfo(%Q, 'main') WHERE name = %Q",
        work->table->name, work->table->columns[work->column].name);
    *out = real != 0;
    return rc;
}

static int is_number(const rowtide_value *value)
{
    return value->type == ROWTIDE_INTEGER || value->type == ROWTIDE_REAL;
}

/* What the column makes of a value of another type: 77 in a TEXT column is
 * '77', and the same change must not win again. */
static int is_same_stored(merge *work, const rowtide_value *stored, int *out)
{
    /* Numbers are equal whatever their type, unless the column makes one of
     * the other they are not the same. */
    if (is_number(&work->change->value) && is_number(stored)) {
        int rc = is_real_column(work, out);
        if (rc != ROWTIDE_OK || !*out)
            return rc;
    }
    sqlite3_stmt *stmt = NULL;
    int rc = prepare_is(work, &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_bind(work->table, stmt, 1, &work->key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_bind(stmt, work->table->key_count + 1,
                                &work->change->value);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(work->engine, stmt);
    if (rc == ROWTIDE_OK)
        *out = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int compare_value(merge *work, int *out)
{
    rowtide__crdt_table *table = work->table;
    rowtide_value stored;
    int same = 0;
    table->reader = NULL;
    int rc = rowtide__merge_flush_others(work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare_get(work->engine, table);
    if (rc == ROWTIDE_OK) {
        sqlite3_reset(table->get);
        rc = rowtide__key_bind(table, table->get, 1, &work->key);
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(work->engine, table->get);
    if (rc == ROWTIDE_DONE)
        rc = fail_missing(work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_read_column(
            table->get, table->key_count + work->column, &stored);
    if (rc == ROWTIDE_OK) {
        *out = rowtide__value_compare(&work->change->value, &stored);
        if (stored.type != work->change->value.type)
            rc = is_same_stored(work, &stored, &same);
    }
    if (same)
        *out = 0;
    sqlite3_reset(table->get);
    return rc;
}

int rowtide__merge_compare_site(merge *work, int32_t ordinal, int *out)
{
    const rowtide_crdt_change *change = work->change;
    const void *site, *theirs = change->site_id;
    size_t size, their_size = theirs ? change->site_id_size : 0;
    int rc = rowtide__crdt_site_of(work->engine, ordinal, &site, &size);
    if (rc != ROWTIDE_OK)
        return rc;
    if (their_size == 0) {
        theirs = work->engine->site_id;
        their_size = ROWTIDE_SITE_ID_SIZE;
    }
    int order = memcmp(theirs, site, size < their_size ? size : their_size);
    *out = order ? order : (their_size > size) - (their_size < size);
    return ROWTIDE_OK;
}

int rowtide__merge_decide_cell(merge *work, int *out)
{
    const rowtide_crdt_change *change = work->change;
    rowtide__cell stored;
    int order = 0, rc = ROWTIDE_OK;
    *out = 1;
    if (change->causal_length > work->length || work->length == 0
        || !rowtide__clock_find(work->clock,
                                work->table->columns[work->column].id, &stored))
        return ROWTIDE_OK;
    if (change->column_version != stored.version) {
        *out = change->column_version > stored.version;
        return ROWTIDE_OK;
    }
    rc = compare_value(work, &order);
    if (rc == ROWTIDE_OK && order == 0 && work->engine->merge_equal_values)
        rc = rowtide__merge_compare_site(work, stored.site, &order);
    *out = order > 0;
    return rc;
}
