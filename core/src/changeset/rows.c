#include "changeset/rows.h"
#include "changeset/bytes.h"
#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/stream.h"

static unsigned char *row_key(rowtide__row *row)
{
    return (unsigned char *)(row + 1);
}

/* Keys that count up in steps of a power of two are common, so every bit has
 * to reach the low ones. */
static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    hash ^= hash >> 32;
    return hash;
}

/* The seed is an address, so that nobody can prepare keys that collide. */
static uint64_t hash_key(const void *seed, const unsigned char *key,
                         size_t size)
{
    uint64_t hash = mix((uint64_t)(uintptr_t)seed ^ size);
    for (; size >= 8; key += 8, size -= 8)
        hash = mix(hash ^ rowtide__load64(key)) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t rest = 0;
    for (size_t i = 0; i < size; i++)
        rest = rest << 8 | key[i];
    return mix(mix(hash ^ rest) * UINT64_C(0x9e3779b97f4a7c15));
}

/* The key's values one behind the other: a part of the record itself if it
 * has them side by side, else copied together. */
static int collect_key(rowtide__rows *rows, const rowtide__table *table,
                       const rowtide__piece *piece, const unsigned char **key,
                       size_t *size)
{
    const unsigned char *at = piece->record;
    *key = at;
    if (rows->patchset == 1 && piece->kind == ROWTIDE_CHANGE_DELETE) {
        *size = (size_t)(piece->finish - at);
        return ROWTIDE_OK;
    }
    int first = table->key_columns[0];
    int last = table->key_columns[table->key_count - 1];
    at = rowtide__skip_values(at, first);
    if (last - first + 1 == table->key_count) {
        *key = at;
        *size = (size_t)(rowtide__skip_values(at, table->key_count) - at);
        return ROWTIDE_OK;
    }
    rowtide__buffer_clear(&rows->key);
    for (int i = 0, column = first; i < table->key_count; i++) {
        at = rowtide__skip_values(at, table->key_columns[i] - column);
        const unsigned char *end = rowtide__skip_value(at);
        if (rowtide__buffer_append(&rows->key, at, (size_t)(end - at))
            != ROWTIDE_OK)
            return ROWTIDE_ENOMEM;
        column = table->key_columns[i] + 1;
        at = end;
    }
    *key = (const unsigned char *)rows->key.data;
    *size = rows->key.size;
    return ROWTIDE_OK;
}

static int grow_row_tables(rowtide__rows *rows)
{
    size_t count = rows->row_table_count ? rows->row_table_count * 2 : 8;
    rowtide__row_table *row_tables = rowtide__realloc(
        rows->row_tables, count * sizeof *rows->row_tables);
    if (!row_tables)
        return ROWTIDE_ENOMEM;
    memset(row_tables + rows->row_table_count, 0,
           (count - rows->row_table_count) * sizeof *row_tables);
    rows->row_tables = row_tables;
    rows->row_table_count = count;
    return ROWTIDE_OK;
}

int rowtide__rows_table(rowtide__rows *rows, const rowtide__table *shape,
                        rowtide__table **out)
{
    *out = rowtide__tables_find_folded(&rows->tables, shape->name,
                                       shape->name_size);
    if (*out)
        return rowtide__table_same_shape(*out, shape) ? ROWTIDE_OK
                                                      : ROWTIDE__TABLE_DIFFERS;
    if (rows->tables.count == rows->row_table_count
        && grow_row_tables(rows) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    return rowtide__tables_add(&rows->tables, shape, out);
}

static int grow_slots(rowtide__row_table *row_table)
{
    size_t slot_count = row_table->slot_count ? row_table->slot_count * 2 : 64;
    rowtide__row **slots = rowtide__alloc_array(slot_count, sizeof *slots);
    if (!slots)
        return ROWTIDE_ENOMEM;
    for (rowtide__row *row = row_table->first; row; row = row->table_next) {
        rowtide__row **slot = &slots[row->hash & (slot_count - 1)];
        row->slot_next = *slot;
        *slot = row;
    }
    rowtide__free(row_table->slots);
    row_table->slots = slots;
    row_table->slot_count = slot_count;
    return ROWTIDE_OK;
}

static rowtide__row *find_row(const rowtide__row_table *row_table,
                              uint64_t hash, const unsigned char *key,
                              size_t size)
{
    if (row_table->slot_count == 0)
        return NULL;
    rowtide__row *row = row_table->slots[hash & (row_table->slot_count - 1)];
    for (; row; row = row->slot_next)
        if (row->hash == hash && row->key_size == size
            && memcmp(row_key(row), key, size) == 0)
            return row;
    return NULL;
}

static rowtide__row *add_row(rowtide__rows *rows, rowtide__row_table *row_table,
                             const unsigned char *key, size_t size)
{
    if (row_table->count >= row_table->slot_count
        && grow_slots(row_table) != ROWTIDE_OK)
        return NULL;
    rowtide__row *row = rowtide__arena_alloc(&rows->arena, sizeof *row + size);
    if (!row)
        return NULL;
    *row = (rowtide__row){.hash = hash_key(rows, key, size), .key_size = size};
    memcpy(row_key(row), key, size);
    rowtide__row **slot =
        &row_table->slots[row->hash & (row_table->slot_count - 1)];
    row->slot_next = *slot;
    *slot = row;
    if (row_table->last)
        row_table->last->table_next = row;
    else
        row_table->first = row;
    row_table->last = row;
    row_table->count++;
    return row;
}

int rowtide__rows_find(rowtide__rows *rows, const rowtide__table *table,
                       const rowtide__piece *piece, rowtide__row **out)
{
    const unsigned char *key;
    size_t size;
    *out = NULL;
    if (collect_key(rows, table, piece, &key, &size) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    *out = find_row(&rows->row_tables[table->index], hash_key(rows, key, size),
                    key, size);
    return ROWTIDE_OK;
}

int rowtide__rows_enter(rowtide__rows *rows, const rowtide__table *table,
                        const rowtide__piece *piece, rowtide__row **out)
{
    const unsigned char *key;
    size_t size;
    rowtide__row_table *row_table = &rows->row_tables[table->index];
    if (collect_key(rows, table, piece, &key, &size) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    *out = find_row(row_table, hash_key(rows, key, size), key, size);
    if (!*out)
        *out = add_row(rows, row_table, key, size);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* A record that outgrows its place gets some room to grow on, so that what
 * lies waste stays in proportion. */
int rowtide__row_set(rowtide__rows *rows, rowtide__row *row,
                     const unsigned char *record, size_t size)
{
    if (size > row->capacity) {
        size_t capacity = row->capacity ? size + size / 2 : size;
        unsigned char *room = rowtide__arena_alloc(&rows->arena, capacity);
        if (!room)
            return ROWTIDE_ENOMEM;
        row->record = room;
        row->capacity = capacity;
    }
    memcpy(row->record, record, size);
    row->size = size;
    return ROWTIDE_OK;
}

void rowtide__rows_dispose(rowtide__rows *rows)
{
    for (size_t i = 0; i < rows->row_table_count; i++)
        rowtide__free(rows->row_tables[i].slots);
    rowtide__free(rows->row_tables);
    rowtide__tables_dispose(&rows->tables);
    rowtide__arena_dispose(&rows->arena);
    rowtide_buffer_dispose(&rows->key);
    rowtide_buffer_dispose(&rows->merged);
    *rows = (rowtide__rows)ROWTIDE__ROWS_INIT;
}

rowtide__piece rowtide__decoder_piece(const rowtide__decoder *decoder)
{
    return (rowtide__piece){(int)decoder->change.kind, decoder->change.indirect,
                            decoder->record, decoder->second, decoder->finish};
}

static int hand_over(rowtide_buffer *out, rowtide_sink *sink)
{
    if (!sink)
        return ROWTIDE_OK;
    int rc = rowtide__sink_write(sink, out->data, out->size);
    rowtide__buffer_clear(out);
    return rc;
}

static int write_row(rowtide_buffer *out, const rowtide__row *row)
{
    unsigned char head[2] = {(unsigned char)row->kind,
                             (unsigned char)row->indirect};
    int rc = rowtide__buffer_append(out, head, sizeof head);
    return rc == ROWTIDE_OK
               ? rowtide__buffer_append(out, row->record, row->size)
               : rc;
}

static int write_table(rowtide__rows *rows, rowtide__table *table,
                       rowtide_buffer *out, rowtide_sink *sink)
{
    const rowtide__row *row = rows->row_tables[table->index].first;
    int started = 0, rc = ROWTIDE_OK;
    table->counts = (rowtide_change_counts){0, 0, 0, 0};
    for (; row && rc == ROWTIDE_OK; row = row->table_next) {
        if (!row->kind)
            continue;
        if (!started)
            rc = rowtide__encode_table(out, rows->patchset == 1, table->name,
                                       table->column_count, table->primary_key);
        started = 1;
        rowtide__table_count_change(table, row->kind, row->indirect);
        if (rc == ROWTIDE_OK)
            rc = write_row(out, row);
        if (rc == ROWTIDE_OK)
            rc = hand_over(out, sink);
    }
    return rc;
}

int rowtide__rows_write(rowtide__rows *rows, rowtide_buffer *out,
                        rowtide_sink *sink)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < rows->tables.count && rc == ROWTIDE_OK; i++)
        rc = write_table(rows, rows->tables.items[i], out, sink);
    return rc == ROWTIDE_OK && sink ? rowtide__sink_flush(sink) : rc;
}

int rowtide__rows_finish(rowtide__rows *rows, rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__rows_write(rows, &bytes, NULL);
    int patchset = rows->patchset == 1 && bytes.size > 0;
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_make(&bytes, patchset, &rows->tables, out);
    if (rc == ROWTIDE_OK)
        rowtide__rows_dispose(rows);
    rowtide_buffer_dispose(&bytes);
    return rc;
}
