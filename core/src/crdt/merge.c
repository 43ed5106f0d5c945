#include "crdt/merge_change.h"
#include "crdt/pack.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { MAX_NAME = 2048 };

typedef rowtide__merge merge;

void rowtide__crdt_merge_free(rowtide__crdt *engine)
{
    if (!engine->merge)
        return;
    rowtide__clock_dispose(&engine->merge->clock);
    rowtide_buffer_dispose(&engine->merge->pk);
    rowtide_buffer_dispose(&engine->merge->key);
    rowtide_buffer_dispose(&engine->merge->bytes);
    rowtide__free(engine->merge->cells);
    rowtide__free(engine->merge->places);
    rowtide__batch_free(engine);
    rowtide__free(engine->merge);
    engine->merge = NULL;
}

/* ## What is asked */

static int check_limits(const rowtide_crdt_change *change)
{
    if (!change->table || !change->column)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "a change has no table or no column");
    if (strlen(change->table) > MAX_NAME)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crsql - table name exceeded max length");
    if (strlen(change->column) > MAX_NAME)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crsql - column name exceeded max length");
    if (change->site_id_size > ROWTIDE_SITE_ID_SIZE)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crsql - site id exceeded max length");
    return ROWTIDE_OK;
}

static int check_versions(const rowtide_crdt_change *change)
{
    const char *poisoned = NULL;
    if (change->db_version > ROWTIDE__GREATEST_VERSION)
        poisoned = "db_version";
    if (change->column_version > ROWTIDE__GREATEST_VERSION)
        poisoned = "col_version";
    if (change->causal_length > ROWTIDE__GREATEST_VERSION)
        poisoned = "cl";
    if (!poisoned)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_EINVAL,
                         "%s is so great that it would stop the clock",
                         poisoned);
}

static int find_column(merge *work)
{
    const rowtide_crdt_change *change = work->change;
    work->column = -1;
    if (strcmp(change->column, "-1") == 0)
        return ROWTIDE_OK;
    work->column = rowtide__crdt_column_find(work->table, change->column);
    if (work->column < 0 && change->causal_length % 2 != 0)
        return rowtide__fail(ROWTIDE_ESCHEMA, "there is no such column");
    return ROWTIDE_OK;
}

/* ## The clock */

static int prepare_cell(merge *work)
{
    const rowtide_crdt_change *change = work->change;
    int64_t least = change->db_version > ROWTIDE__FAR_VERSION
                        ? 0
                        : change->db_version;
    int rc = rowtide__crdt_next_version(work->engine, least,
                                        &work->cell.db_version);
    work->cell.sequence = change->sequence;
    work->cell.version = change->column_version;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_site_ordinal(work->engine, change->site_id,
                                        change->site_id_size, &work->cell.site);
    return rc;
}

/* The log may have the cell already, set earlier in this transaction. With a
 * sequence of before it would be in there twice. */
static int set_cell(merge *work, int32_t column, int64_t version)
{
    rowtide__cell cell = work->cell, last;
    cell.version = version;
    if (work->engine->batch > 0
        && rowtide__clock_find(work->clock, column, &last)
        && last.db_version == cell.db_version && last.sequence > cell.sequence)
        cell.sequence = last.sequence + 1;
    return rowtide__clock_set(work->clock, column, &cell);
}

static int set_sentinel(merge *work, int64_t version)
{
    work->won++;
    return set_cell(work, ROWTIDE__SENTINEL, version);
}

static int save(merge *work, int rc)
{
    work->engine->merge->unsaved = 1;
    if (rc == ROWTIDE_OK && !work->hold)
        rc = rowtide__merge_flush(work->engine);
    /* The table has been written to already. */
    return rc == ROWTIDE_OK ? rc : rowtide__crdt_failed(work->engine, rc);
}

/* The version of a sentinel is the causal length. One that says otherwise would
 * leave a row that nobody can merge with. */
static int64_t sentinel_version(const rowtide_crdt_change *change)
{
    int64_t version = change->column_version, length = change->causal_length;
    return version < length || version % 2 != length % 2 ? length : version;
}

int rowtide__merge_flush_others(merge *work)
{
    int rc = rowtide__merge_flush(work->engine);
    work->others_failed = rc != ROWTIDE_OK;
    return rc;
}

static int merge_delete(merge *work)
{
    int rc = rowtide__merge_flush_others(work);
    if (rc == ROWTIDE_OK)
        rc = prepare_cell(work);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_drop_cells(work->clock);
    rc = set_sentinel(work, sentinel_version(work->change));
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_remove_row(work->engine);
    return rc == ROWTIDE_OK ? save(work, rowtide__merge_settle(work->engine, 1))
                            : rc;
}

static int merge_create(merge *work)
{
    int rc = rowtide__merge_flush_others(work);
    if (rc == ROWTIDE_OK)
        rc = prepare_cell(work);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_zero_cells(work->clock, work->cell.db_version);
    rc = set_sentinel(work, sentinel_version(work->change));
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_create_row(work->engine);
    return rc == ROWTIDE_OK ? save(work, rowtide__merge_settle(work->engine, 0))
                            : rc;
}

static int watch_once(rowtide__crdt *engine)
{
    struct rowtide__merge_cache *held = engine->merge;
    int rc = ROWTIDE_OK;
    if (held->watched != held->run)
        rc = rowtide__merge_watch(engine);
    held->watched = held->run;
    return rc;
}

/* An error has to come while its row does, unless it ends the transaction
 * anyway. */
static int may_hold(merge *work, int *out)
{
    enum { MOST_BYTES = 1 << 16 };
    const rowtide_value *value = &work->change->value;
    *out = work->hold != ROWTIDE__AT_ONCE;
    if (work->hold != ROWTIDE__HELD_IF_SAFE)
        return ROWTIDE_OK;
    int rc = watch_once(work->engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_read_guarded(work->engine, work->table);
    if (work->table->guarded
        || (value->type == ROWTIDE_NULL
            && work->table->columns[work->column].not_null)
        || work->engine->merge->bytes.size + value->size > MOST_BYTES)
        *out = 0;
    return rc;
}

/* The clock is set before, so that what triggers do to the row goes on top. */
static int write_cell(merge *work, int hold)
{
    int exists = work->length % 2 == 1;
    const rowtide_value *value = &work->change->value;
    if (hold)
        return save(work, rowtide__merge_hold(work->engine, work->column, value,
                                              exists));
    int rc = rowtide__merge_write_cell(work->engine, work->column, value,
                                       exists);
    return rc == ROWTIDE_OK ? save(work, rowtide__merge_settle(work->engine, 0))
                            : rc;
}

static int merge_cell(merge *work)
{
    int64_t length = work->change->causal_length;
    int wins, hold, rc = rowtide__merge_decide_cell(work, &wins);
    if (rc != ROWTIDE_OK || !wins)
        return rc;
    rc = prepare_cell(work);
    if (rc == ROWTIDE_OK)
        rc = may_hold(work, &hold);
    if (rc == ROWTIDE_OK && !hold)
        rc = rowtide__merge_flush_others(work);
    if (rc != ROWTIDE_OK)
        return rc;
    if (length > work->length && (work->length != 0 || length > 1)) {
        rowtide__clock_zero_cells(work->clock, work->cell.db_version);
        rc = set_sentinel(work, length);
    }
    work->won++;
    if (rc == ROWTIDE_OK)
        rc = set_cell(work, work->table->columns[work->column].id,
                      work->cell.version);
    return rc == ROWTIDE_OK ? write_cell(work, hold) : rc;
}

/* Both have deleted the row, or made it again. That is one and the same, but
 * for who did it: it is told of the greater site if that is wanted of equal
 * values. */
static int merge_same_life(merge *work)
{
    rowtide__cell stored;
    int order = 0;
    if (!work->engine->merge_equal_values
        || !rowtide__clock_find(work->clock, ROWTIDE__SENTINEL, &stored))
        return ROWTIDE_OK;
    int rc = rowtide__merge_compare_site(work, stored.site, &order);
    if (rc != ROWTIDE_OK || order <= 0)
        return rc;
    rc = prepare_cell(work);
    if (rc == ROWTIDE_OK)
        rc = set_cell(work, ROWTIDE__SENTINEL, stored.version);
    return rc == ROWTIDE_OK ? save(work, rc) : rc;
}

static int merge_into_row(merge *work)
{
    int64_t length = work->change->causal_length;
    work->length = rowtide__clock_length(work->clock);
    if (length < work->length || length <= 0)
        return ROWTIDE_OK;
    if (length % 2 == 0)
        return length == work->length ? merge_same_life(work)
                                      : merge_delete(work);
    if (work->column >= 0)
        return merge_cell(work);
    return length == work->length ? merge_same_life(work) : merge_create(work);
}

/* ## The row */

static int is_entered(const merge *work)
{
    const struct rowtide__merge_cache *held = work->engine->merge;
    return held->table == work->table && held->serial == work->engine->serial
           && held->generation == work->engine->generation
           && held->pk.size == work->change->pk_size
           && (held->pk.size == 0
               || memcmp(held->pk.data, work->change->pk, held->pk.size) == 0);
}

static int enter_row(merge *work)
{
    struct rowtide__merge_cache *held = work->engine->merge;
    rowtide__crdt *engine = work->engine;
    const rowtide_crdt_change *change = work->change;
    rowtide__buffer_clear(&held->pk);
    int rc = rowtide__key_read(work->table, change->pk, change->pk_size,
                               &held->key, &held->row);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&held->pk, change->pk, change->pk_size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, work->table, &held->row, &held->clock);
    if (rc != ROWTIDE_OK)
        return rc;
    held->table = work->table;
    held->serial = engine->serial;
    held->generation = engine->generation;
    return ROWTIDE_OK;
}

static int merge_change(merge *work)
{
    int rc = check_versions(work->change);
    if (rc == ROWTIDE_OK && work->table->stale)
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "the table was altered outside crsql_begin_alter "
                           "and crsql_commit_alter: run SELECT "
                           "crsql_commit_alter('%s')",
                           work->table->name);
    if (rc == ROWTIDE_OK && !work->engine->merge->table)
        rc = enter_row(work);
    if (rc == ROWTIDE_OK)
        rc = find_column(work);
    work->clock = &work->engine->merge->clock;
    work->key = work->engine->merge->row;
    return rc == ROWTIDE_OK ? merge_into_row(work) : rc;
}

/* ## Saying which change it was */

static void write_part(rowtide__writer *writer, const rowtide_value *value)
{
    if (value->type == ROWTIDE_INTEGER)
        rowtide__write_format(writer, "%lld", (long long)value->integer);
    else if (value->type == ROWTIDE_REAL)
        rowtide__write_format(writer, "%.15g", value->real);
    else if (value->type == ROWTIDE_TEXT)
        rowtide__write_format(writer, "'%.*s'",
                              value->size < 60 ? (int)value->size : 60,
                              (const char *)value->data);
    else if (value->type == ROWTIDE_BLOB) {
        rowtide__write_text(writer, "x'");
        rowtide__write_hex(writer, value->data,
                           value->size < 30 ? value->size : 30);
        rowtide__write_text(writer, "'");
    } else
        rowtide__write_text(writer, "NULL");
}

static void write_key(rowtide__writer *writer, const void *pk, size_t size)
{
    rowtide__unpack unpack;
    rowtide_value value;
    int first = 1;
    if (rowtide__unpack_open(&unpack, pk, size) != ROWTIDE_OK) {
        rowtide__write_text(writer, "none");
        return;
    }
    while (rowtide__unpack_next(&unpack, &value) == ROWTIDE_OK) {
        if (!first)
            rowtide__write_text(writer, ", ");
        write_part(writer, &value);
        first = 0;
    }
    if (first)
        rowtide__write_text(writer, "unreadable");
}

int rowtide__merge_name(const char *table, const void *pk, size_t size,
                        const char *column)
{
    rowtide__error_state error;
    rowtide_buffer key = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&key, ROWTIDE_OK};
    rowtide__error_save(&error);
    write_key(&writer, pk, size);
    rowtide__error_restore(&error);
    int rc = rowtide__fail_context("table \"%.80s\", key %.100s, column "
                                   "\"%.40s\"",
                                   table, key.data ? key.data : "", column);
    rowtide_buffer_dispose(&key);
    return rc;
}

static int open_cache(rowtide__crdt *engine)
{
    if (!engine->merge)
        engine->merge = rowtide__alloc_zero(sizeof *engine->merge);
    if (!engine->merge)
        return ROWTIDE_ENOMEM;
    if (engine->merge->busy || engine->merge->writing)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "crsql_changes cannot be written by a trigger "
                             "that a merge has fired");
    return rowtide__merge_check(engine);
}

/* What was merged before this change must not fail in its name. */
static int open_row(merge *work)
{
    if (!work->hold)
        return is_entered(work) ? rowtide__merge_flush(work->engine)
                                : rowtide__merge_leave(work->engine);
    return is_entered(work) ? ROWTIDE_OK
                            : rowtide__merge_next_row(work->engine);
}

static int merge_one(rowtide__crdt *engine, const rowtide_crdt_change *change,
                     int hold, int *won)
{
    merge work;
    memset(&work, 0, sizeof work);
    work.engine = engine;
    work.change = change;
    work.hold = hold;
    *won = 0;
    int rc = check_limits(change);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_find(engine, change->table, &work.table);
    if (rc == ROWTIDE_OK)
        rc = open_cache(engine);
    if (rc == ROWTIDE_OK)
        rc = open_row(&work);
    if (rc != ROWTIDE_OK)
        return rc;
    engine->merge->busy = 1;
    rc = merge_change(&work);
    engine->merge->busy = 0;
    if (rc != ROWTIDE_OK) {
        rowtide__merge_discard(engine);
        return work.others_failed
                   ? rc
                   : rowtide__merge_name(change->table, change->pk,
                                         change->pk_size, change->column);
    }
    engine->impacted += work.won;
    *won = work.won;
    return ROWTIDE_OK;
}

int rowtide__crdt_merge_change(rowtide__crdt *engine,
                               const rowtide_crdt_change *change, int *won)
{
    int hold = rowtide__merge_is_batch(engine) ? ROWTIDE__HELD_IF_SAFE
                                               : ROWTIDE__AT_ONCE;
    int rc = merge_one(engine, change, hold, won);
    if (rc == ROWTIDE_OK)
        rowtide__merge_note_statement(engine);
    return rc;
}

int rowtide__crdt_merge_held(rowtide__crdt *engine,
                             const rowtide_crdt_change *change, int *won)
{
    return merge_one(engine, change, ROWTIDE__HELD, won);
}
