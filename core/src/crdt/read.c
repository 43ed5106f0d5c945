#include "crdt/read.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* ## Opening */

static enum rowtide__fixed log_of(const rowtide__reader *reader)
{
    return reader->descending ? ROWTIDE__LOG_DOWN : ROWTIDE__LOG_UP;
}

static int take_statement(rowtide__reader *reader, enum rowtide__fixed which,
                          sqlite3_stmt **out)
{
    int rc = rowtide__crdt_fixed(reader->engine, which, out);
    reader->engine->fixed[which] = NULL;
    return rc;
}

/* The next reader can use it, unless the connection is being closed: then it
 * closes with its last statement, and the engine goes with it. */
static void return_statement(rowtide__reader *reader, enum rowtide__fixed which,
                             sqlite3_stmt **stmt)
{
    rowtide__crdt *engine = reader->engine;
    sqlite3_reset(*stmt);
    if (engine->fixed[which] || !engine->kept)
        sqlite3_finalize(*stmt);
    else
        engine->fixed[which] = *stmt;
    *stmt = NULL;
}

static int end_reading(rowtide__reader *reader)
{
    reader->ended = 1;
    sqlite3_reset(reader->pin);
    return ROWTIDE_OK;
}

static int pin(rowtide__reader *reader)
{
    int rc = take_statement(reader, ROWTIDE__TAIL_PIN, &reader->pin);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(reader->engine, reader->pin);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int start_log(rowtide__reader *reader, const rowtide__filter *filter)
{
    int rc = rowtide__reader_take_tail(reader);
    if (rc == ROWTIDE_OK)
        rc = take_statement(reader, log_of(reader), &reader->log);
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t from = filter->since == INT64_MAX ? INT64_MAX : filter->since + 1;
    sqlite3_bind_int64(reader->log, 1,
                       reader->descending ? filter->until : from);
    return rowtide__reader_step_log(reader);
}

static int start_row(rowtide__reader *reader, const rowtide__filter *filter)
{
    rowtide__crdt_table *table;
    rowtide__key key;
    int rc = rowtide__crdt_table_by_id(reader->engine, reader->only_table,
                                       &table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_read(table, filter->pk, filter->pk_size, &reader->pk,
                               &key);
    if (rc == ROWTIDE_EINVAL || rc == ROWTIDE_ECORRUPT) {
        /* No row has such a key. */
        rowtide_error_clear();
        return end_reading(reader);
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_find(reader->engine, table, &key);
    if (rc != ROWTIDE_OK || !key.known)
        return rc;
    return rowtide__reader_list_row(reader, table, key.row);
}

/* Whoever asks has seen to it that the site is not too long. */
static void take_site(rowtide__reader *reader, const rowtide__filter *filter)
{
    reader->site_mode = filter->site_mode;
    reader->site_size = filter->site ? filter->site_size : 0;
    if (filter->site)
        memcpy(reader->site, filter->site, reader->site_size);
}

/* ROWTIDE_DONE if the table does not take part: there is nothing to read. */
static int find_table(rowtide__reader *reader, const char *name)
{
    rowtide__crdt_table *table;
    if (!name)
        return ROWTIDE_OK;
    for (table = reader->engine->tables; table; table = table->next)
        if (!table->dropped && strcmp(table->name, name) == 0)
            break;
    reader->only_table = table ? table->id : 0;
    return table ? ROWTIDE_OK : ROWTIDE_DONE;
}

static int start(rowtide__reader *reader, const rowtide__filter *filter)
{
    int rc = pin(reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_refresh(reader->engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(reader->engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(reader->engine);
    if (rc == ROWTIDE_OK)
        rc = find_table(reader, filter->table);
    if (rc == ROWTIDE_DONE)
        return end_reading(reader);
    if (rc != ROWTIDE_OK)
        return rc;
    take_site(reader, filter);
    reader->by_row = filter->pk != NULL && filter->table != NULL;
    return reader->by_row ? start_row(reader, filter)
                          : start_log(reader, filter);
}

int rowtide__reader_open(rowtide__crdt *engine, const rowtide__filter *filter,
                         rowtide__reader **out)
{
    rowtide__reader *reader = rowtide__alloc_zero(sizeof *reader);
    *out = NULL;
    if (!reader)
        return ROWTIDE_ENOMEM;
    reader->engine = engine;
    reader->descending = filter->descending;
    reader->since = filter->since;
    reader->until = filter->until;
    int rc = start(reader, filter);
    if (rc != ROWTIDE_OK) {
        rowtide__reader_free(reader);
        return rc;
    }
    *out = reader;
    return ROWTIDE_OK;
}

void rowtide__reader_free(rowtide__reader *reader)
{
    if (!reader)
        return;
    rowtide__reader_let_go(reader);
    rowtide__log_dispose(&reader->items);
    rowtide__log_dispose(&reader->decoded);
    rowtide__log_dispose(&reader->bundle);
    rowtide__log_dispose(&reader->tail);
    rowtide__free(reader->active);
    rowtide__clock_dispose(&reader->clock);
    rowtide_buffer_dispose(&reader->pk);
    rowtide__window_dispose(&reader->window);
    rowtide_buffer_dispose(&reader->table_name);
    rowtide_buffer_dispose(&reader->column_name);
    if (reader->log)
        return_statement(reader, log_of(reader), &reader->log);
    if (reader->pin)
        return_statement(reader, ROWTIDE__TAIL_PIN, &reader->pin);
    rowtide__free(reader);
}

/* ## The row that a cell is in */

static int enter_row(rowtide__reader *reader, rowtide__crdt_table *table,
                     int64_t row)
{
    if (reader->table == table && reader->serial == reader->engine->serial
        && reader->row == row)
        return ROWTIDE_OK;
    reader->table = NULL;
    int rc = rowtide__store_read(reader->engine, table, row, &reader->clock);
    if (rc != ROWTIDE_OK)
        return rc;
    reader->row = row;
    reader->table = table;
    reader->entered++;
    reader->serial = reader->engine->serial;
    reader->has_pk = 0;
    reader->generation = reader->engine->generation;
    return rc;
}

static int read_pk(rowtide__reader *reader)
{
    if (reader->has_pk)
        return ROWTIDE_OK;
    int rc = rowtide__key_of_row(reader->engine, reader->table, reader->row,
                                 &reader->pk, &reader->key);
    reader->has_pk = rc == ROWTIDE_OK;
    return rc;
}

static int has_site(rowtide__reader *reader, const rowtide__cell *cell,
                    int *out)
{
    const void *site;
    size_t size;
    *out = 1;
    if (reader->site_mode == ROWTIDE__SITE_ANY)
        return ROWTIDE_OK;
    if (reader->site_size == 0) {
        *out = (cell->site == 0) == (reader->site_mode == ROWTIDE__SITE_IS);
        return ROWTIDE_OK;
    }
    int rc = rowtide__crdt_site_of(reader->engine, cell->site, &site, &size);
    if (rc != ROWTIDE_OK)
        return rc;
    int same = size == reader->site_size
               && memcmp(site, reader->site, size) == 0;
    *out = same == (reader->site_mode == ROWTIDE__SITE_IS);
    return ROWTIDE_OK;
}

/* 1 if the cell is still as the log says and is wanted. */
static int is_wanted(rowtide__reader *reader, const rowtide__spot *spot,
                     int *out)
{
    rowtide__crdt_table *table = reader->engine->last;
    rowtide__cell *cell = &reader->cell;
    *out = 0;
    if (!table || table->id != spot->table)
        table = rowtide__crdt_table_known(reader->engine, spot->table);
    if (!table || table->dropped)
        return ROWTIDE_OK;
    reader->engine->last = table;
    int rc = rowtide__crdt_table_shape(reader->engine, table);
    reader->run_last = spot->last;
    if (rc == ROWTIDE_OK)
        rc = enter_row(reader, table, spot->row);
    if (rc != ROWTIDE_OK
        || !rowtide__clock_find(&reader->clock, spot->column, cell)
        || cell->db_version != spot->db_version
        || cell->sequence != spot->sequence)
        return rc;
    reader->column = -1;
    reader->column_id = spot->column;
    if (spot->column != ROWTIDE__SENTINEL) {
        reader->column = rowtide__crdt_column_by_id(table, spot->column);
        if (reader->column < 0)
            return ROWTIDE_OK;
    }
    return has_site(reader, cell, out);
}

static int fill_change(rowtide__reader *reader, rowtide_crdt_change *change)
{
    rowtide__crdt_table *table = reader->table;
    int rc = read_pk(reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_site_of(reader->engine, reader->cell.site,
                                   &change->site_id, &change->site_id_size);
    change->table = table->name;
    change->pk = reader->pk.data;
    change->pk_size = reader->pk.size;
    change->column = reader->column < 0 ? "-1"
                                        : table->columns[reader->column].name;
    change->value = rowtide_value_null();
    change->column_version = reader->cell.version;
    change->db_version = reader->cell.db_version;
    change->causal_length = rowtide__clock_length(&reader->clock);
    change->sequence = reader->cell.sequence;
    return rc == ROWTIDE_OK ? rowtide__reader_own(reader, change) : rc;
}

int rowtide__reader_next(rowtide__reader *reader, rowtide_crdt_change *change)
{
    rowtide__spot spot;
    int wanted = 0, rc = ROWTIDE_OK;
    while (!wanted && rc == ROWTIDE_OK) {
        if (reader->ended)
            return ROWTIDE_DONE;
        rc = rowtide__reader_next_spot(reader, &spot);
        if (rc == ROWTIDE_OK)
            rc = is_wanted(reader, &spot, &wanted);
    }
    if (rc == ROWTIDE_DONE)
        end_reading(reader);
    return rc == ROWTIDE_OK ? fill_change(reader, change) : rc;
}

/* ## Values */

void rowtide__reader_let_go(rowtide__reader *reader)
{
    for (rowtide__crdt_table *table = reader->engine->tables; table;
         table = table->next) {
        if (table->reader != reader)
            continue;
        sqlite3_reset(table->get);
        sqlite3_reset(table->scan);
        table->reader = NULL;
    }
}

static int is_at_row(const rowtide__reader *reader)
{
    const rowtide__crdt_table *table = reader->table;
    return (!reader->at || table->reader == reader)
           && reader->fetched_table == table
           && reader->fetched_serial == reader->engine->serial
           && reader->scan_generation == reader->engine->generation
           && reader->fetched == reader->entered;
}

static int find_row(rowtide__reader *reader)
{
    rowtide__crdt *engine = reader->engine;
    int rc = rowtide__reader_find_row(reader);
    reader->present = rc == ROWTIDE_OK;
    /* After a failure it is looked for again. */
    reader->fetched_table = rc < 0 ? NULL : reader->table;
    reader->fetched_serial = engine->serial;
    reader->fetched_changes = sqlite3_total_changes(engine->sqlite);
    reader->fetched = reader->entered;
    reader->scan_generation = engine->generation;
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* The table may have been altered since the cell was read. */
static void place_column(rowtide__reader *reader)
{
    const rowtide__crdt_table *table = reader->table;
    if (reader->column >= table->column_count
        || table->columns[reader->column].id != reader->column_id)
        reader->column = rowtide__crdt_column_by_id(table, reader->column_id);
}

/* *out is 0 if the cell has no value. */
static int has_value(rowtide__reader *reader, int *out)
{
    int rc = ROWTIDE_OK;
    *out = 0;
    if (reader->column < 0)
        return rc;
    rc = rowtide__crdt_table_shape(reader->engine, reader->table);
    if (rc == ROWTIDE_OK)
        place_column(reader);
    if (reader->column < 0)
        return rc;
    if (rc == ROWTIDE_OK && !is_at_row(reader))
        rc = find_row(reader);
    *out = rc == ROWTIDE_OK && reader->present;
    return rc;
}

static int place_of(const rowtide__reader *reader)
{
    return reader->table->key_count + reader->column;
}

int rowtide__reader_value(rowtide__reader *reader, rowtide_value *out)
{
    int any, rc = has_value(reader, &any);
    *out = rowtide_value_null();
    if (!any)
        return rc;
    return reader->at
               ? rowtide__crdt_read_column(reader->at, place_of(reader), out)
               : rowtide__window_value(reader, reader->column, out);
}

int rowtide__reader_result(rowtide__reader *reader, sqlite3_context *context)
{
    rowtide_value value;
    int any, rc = has_value(reader, &any);
    if (any && reader->at) {
        sqlite3_result_value(
            context, sqlite3_column_value(reader->at, place_of(reader)));
    } else if (any) {
        rc = rowtide__window_value(reader, reader->column, &value);
        rowtide__crdt_result(context, &value);
    }
    return rc;
}

static uint64_t mix(uint64_t number, uint64_t more)
{
    number = (number ^ more) * 0x9e3779b97f4a7c15u;
    return number ^ (number >> 29);
}

/* SQLite takes two rows with one rowid for the same one when it answers an OR
 * with two scans, so each cell needs its own. */
int64_t rowtide__reader_rowid(rowtide__reader *reader)
{
    const rowtide__crdt_table *table = reader->table;
    uint64_t number = mix(mix(0, (uint64_t)table->id), (uint64_t)reader->row);
    number = mix(number, (uint64_t)reader->column + 1);
    return (int64_t)(mix(number, number >> 32) >> 1);
}
