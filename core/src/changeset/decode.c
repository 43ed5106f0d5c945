#include "changeset/decode.h"
#include "changeset/bytes.h"
#include "base/alloc.h"
#include "base/stream.h"

#include <string.h>

enum {
    SHORT = 2 /* the window ends too early */
};

static const unsigned char *fault_in(rowtide__decoder *decoder,
                                     const unsigned char *at, const char *fault)
{
    decoder->fault_at = at;
    decoder->fault = fault;
    decoder->missing = 0;
    return NULL;
}

/* `size` bytes should be at `at`. */
static const unsigned char *cut_short(rowtide__decoder *decoder,
                                      const unsigned char *at, size_t size,
                                      const char *fault)
{
    decoder->fault_at = at;
    decoder->fault = fault;
    decoder->missing = size;
    return NULL;
}

static int has_bytes(const rowtide__decoder *decoder, const unsigned char *at,
                     size_t size)
{
    return (size_t)(decoder->end - at) >= size;
}

static const unsigned char *read_varint(rowtide__decoder *decoder,
                                        const unsigned char *at,
                                        uint32_t *number)
{
    const unsigned char *from = at;
    uint64_t value = 0;
    if (at < decoder->end && *at == 0x80)
        return fault_in(decoder, at, "a number is not in its shortest form");
    for (;;) {
        if (at == decoder->end)
            return cut_short(decoder, from, (size_t)(at - from) + 1,
                             "the input ends inside a number");
        value = value << 7 | (*at & 0x7fu);
        if (value > ROWTIDE__LENGTH_MAX)
            return fault_in(decoder, from, "a length is over the limit");
        if (!(*at++ & 0x80u))
            break;
    }
    *number = (uint32_t)value;
    return at;
}

static const unsigned char *read_bytes(rowtide__decoder *decoder,
                                       const unsigned char *at,
                                       rowtide_value *value)
{
    const unsigned char *from = at - 1;
    uint32_t size;
    if (at < decoder->end && *at < 0x80) {
        size = *at++;
    } else {
        at = read_varint(decoder, at, &size);
        if (!at)
            return NULL;
    }
    if (!has_bytes(decoder, at, size))
        return cut_short(decoder, from, (size_t)(at - from) + size,
                         "the input ends inside a text or blob");
    value->data = at;
    value->size = size;
    return at + size;
}

static const unsigned char *read_real(rowtide__decoder *decoder,
                                      const unsigned char *at,
                                      rowtide_value *value)
{
    uint64_t bits = rowtide__load64(at);
    memcpy(&value->real, &bits, sizeof bits);
    if (value->real != value->real)
        return fault_in(decoder, at - 1, "a REAL is not a number");
    return at + 8;
}

static inline const unsigned char *read_value(rowtide__decoder *decoder,
                                              const unsigned char *at,
                                              rowtide_value *value)
{
    if (at == decoder->end)
        return cut_short(decoder, at, 1, "the input ends inside a change");
    unsigned type = *at++;
    value->type = (rowtide_type)type;
    switch (type) {
    case ROWTIDE_UNDEFINED:
    case ROWTIDE_NULL:
        return at;
    case ROWTIDE_INTEGER:
    case ROWTIDE_REAL:
        if (!has_bytes(decoder, at, 8))
            return cut_short(decoder, at - 1, 9,
                             "the input ends inside a number");
        if (type == ROWTIDE_REAL)
            return read_real(decoder, at, value);
        value->integer = (int64_t)rowtide__load64(at);
        return at + 8;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        return read_bytes(decoder, at, value);
    default:
        return fault_in(decoder, at - 1, "there is no such type of value");
    }
}

static const unsigned char *read_record(rowtide__decoder *decoder,
                                        const unsigned char *at,
                                        rowtide_value *values)
{
    int count = decoder->table->column_count;
    if (decoder->flags & ROWTIDE__DECODE_TRUSTED)
        return decoder->flags & ROWTIDE__DECODE_SPANS
                   ? rowtide__skip_values(at, count)
                   : rowtide__load_values(at, values, count);
    for (int i = 0; i < count && at; i++)
        at = read_value(decoder, at, &values[i]);
    return at;
}

/* A patchset's DELETE has its key only. */
static const unsigned char *read_key(rowtide__decoder *decoder,
                                     const unsigned char *at,
                                     rowtide_value *values)
{
    const rowtide__table *table = decoder->table;
    for (int i = 0; i < table->column_count && at; i++) {
        if (table->primary_key[i])
            at = read_value(decoder, at, &values[i]);
        else
            values[i].type = ROWTIDE_UNDEFINED;
    }
    return at;
}

static const unsigned char *read_records(rowtide__decoder *decoder,
                                         const unsigned char *at, int kind)
{
    decoder->record = at;
    if (kind == ROWTIDE_CHANGE_DELETE && decoder->patchset)
        at = read_key(decoder, at, decoder->values);
    else
        at = read_record(decoder, at, decoder->values);
    decoder->second = at;
    if (at && kind == ROWTIDE_CHANGE_UPDATE && !decoder->patchset)
        at = read_record(decoder, at,
                         decoder->values + decoder->table->column_count);
    decoder->finish = at;
    return at;
}

/* The key of an UPDATE belongs to its old values, wherever the bytes have
 * it. */
static void place_key(rowtide__decoder *decoder)
{
    const rowtide__table *table = decoder->table;
    rowtide_value *first = decoder->values;
    rowtide_value *second = first + table->column_count;
    if (decoder->patchset) {
        for (int i = 0; i < table->column_count; i++)
            second[i].type = ROWTIDE_UNDEFINED;
        for (int i = 0; i < table->key_count; i++) {
            int column = table->key_columns[i];
            second[column] = first[column];
            first[column].type = ROWTIDE_UNDEFINED;
        }
        decoder->change.old_values = second;
        decoder->change.new_values = first;
        return;
    }
    int invert = (decoder->flags & ROWTIDE__DECODE_INVERT) != 0;
    for (int i = 0; i < table->key_count; i++) {
        int column = table->key_columns[i];
        if (invert) {
            second[column] = first[column];
            first[column].type = ROWTIDE_UNDEFINED;
        } else {
            second[column].type = ROWTIDE_UNDEFINED;
        }
    }
    decoder->change.old_values = invert ? second : first;
    decoder->change.new_values = invert ? first : second;
}

static void place_values(rowtide__decoder *decoder, int kind)
{
    rowtide_change *change = &decoder->change;
    if (kind == ROWTIDE_CHANGE_UPDATE) {
        place_key(decoder);
        return;
    }
    int inserts = kind == ROWTIDE_CHANGE_INSERT;
    if (decoder->flags & ROWTIDE__DECODE_INVERT) {
        inserts = !inserts;
        change->kind = inserts ? ROWTIDE_CHANGE_INSERT : ROWTIDE_CHANGE_DELETE;
    }
    change->old_values = inserts ? NULL : decoder->values;
    change->new_values = inserts ? decoder->values : NULL;
}

static const unsigned char *read_change(rowtide__decoder *decoder,
                                        const unsigned char *at)
{
    int kind = *at;
    if (!decoder->table)
        return fault_in(decoder, at, "a change before the first table header");
    if (kind == ROWTIDE_CHANGE_UPDATE
        && (decoder->flags & ROWTIDE__DECODE_REBASE))
        return fault_in(decoder, at, "rebase data holds no UPDATE");
    if (!has_bytes(decoder, at, 2))
        return cut_short(decoder, at, 2, "the input ends inside a change");
    if (at[1] > 1)
        return fault_in(decoder, at + 1, "the indirect flag is not 0 or 1");
    decoder->change.kind = (rowtide_change_kind)kind;
    decoder->change.indirect = at[1];
    const unsigned char *end = read_records(decoder, at + 2, kind);
    if (!end)
        return NULL;
    if (!(decoder->flags & ROWTIDE__DECODE_TRUSTED)
        && !rowtide__check_change(decoder))
        return NULL;
    if (!(decoder->flags & ROWTIDE__DECODE_SPANS))
        place_values(decoder, kind);
    decoder->item = ROWTIDE__ITEM_CHANGE;
    return end;
}

static int reserve_values(rowtide__decoder *decoder, int columns)
{
    if (columns <= decoder->value_capacity)
        return ROWTIDE_OK;
    rowtide_value *values = rowtide__alloc_array((size_t)columns * 2,
                                                 sizeof *values);
    if (!values)
        return ROWTIDE_ENOMEM;
    rowtide__free(decoder->values);
    decoder->values = values;
    decoder->value_capacity = columns;
    return ROWTIDE_OK;
}

static int enter_table(rowtide__decoder *decoder, rowtide__table *shape,
                       const unsigned char *at)
{
    rowtide__table *table = NULL;
    int rc = ROWTIDE_OK;
    if (decoder->flags & ROWTIDE__DECODE_TRUSTED)
        table = rowtide__tables_find(decoder->tables, shape->name,
                                     shape->name_size);
    else
        rc = rowtide__tables_add(decoder->tables, shape, &table);
    if (rc == ROWTIDE__TABLE_DIFFERS) {
        fault_in(decoder, at,
                 "a table comes again with other columns or another key");
        return ROWTIDE_ECORRUPT;
    }
    if (rc == ROWTIDE_OK)
        rc = reserve_values(decoder, table->column_count);
    if (rc != ROWTIDE_OK)
        return rc;
    decoder->table = table;
    decoder->change.table = table->name;
    decoder->change.column_count = table->column_count;
    decoder->change.primary_key = table->primary_key;
    decoder->item = ROWTIDE__ITEM_TABLE;
    return ROWTIDE_OK;
}

static int has_key(const unsigned char *primary_key, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        if (primary_key[i])
            return 1;
    return 0;
}

static const unsigned char *read_columns(rowtide__decoder *decoder,
                                         const unsigned char *at,
                                         rowtide__table *shape)
{
    const unsigned char *from = at;
    uint32_t columns;
    at = read_varint(decoder, at, &columns);
    if (!at)
        return NULL;
    if (columns < 1 || columns > ROWTIDE__COLUMNS_MAX)
        return fault_in(decoder, from, "the number of columns is off limits");
    if (!has_bytes(decoder, at, columns))
        return cut_short(decoder, from, (size_t)(at - from) + columns,
                         "the input ends inside a table header");
    if (!has_key(at, columns))
        return fault_in(decoder, at, "a table has no primary key");
    shape->column_count = (int)columns;
    shape->primary_key = at;
    return at + columns;
}

static const unsigned char *read_name(rowtide__decoder *decoder,
                                      const unsigned char *at,
                                      rowtide__table *shape)
{
    size_t there = (size_t)(decoder->end - at);
    size_t looked_at = there < ROWTIDE__NAME_MAX ? there : ROWTIDE__NAME_MAX;
    const unsigned char *end = looked_at ? memchr(at, '\0', looked_at) : NULL;
    if (!end && there >= ROWTIDE__NAME_MAX)
        return fault_in(decoder, at, "a table name is over the limit");
    if (!end)
        return cut_short(decoder, at, there + 1,
                         "table header is not terminated");
    if (end == at)
        return fault_in(decoder, at, "a table has no name");
    shape->name = (const char *)at;
    shape->name_size = (size_t)(end - at);
    return end + 1;
}

static int read_header(rowtide__decoder *decoder, const unsigned char *at,
                       const unsigned char **end)
{
    int patchset = *at == 'P';
    rowtide__table shape;
    if (decoder->patchset >= 0 && decoder->patchset != patchset) {
        fault_in(decoder, at, "changeset and patchset are mixed");
        return ROWTIDE_ECORRUPT;
    }
    if (patchset && (decoder->flags & ROWTIDE__DECODE_REBASE)) {
        fault_in(decoder, at, "rebase data is no patchset");
        return ROWTIDE_ECORRUPT;
    }
    if (patchset && (decoder->flags & ROWTIDE__DECODE_INVERT))
        return rowtide__fail(ROWTIDE_EINVAL, "a patchset cannot be inverted");
    *end = read_columns(decoder, at + 1, &shape);
    if (*end)
        *end = read_name(decoder, *end, &shape);
    if (!*end)
        return ROWTIDE_ECORRUPT;
    decoder->patchset = patchset;
    return enter_table(decoder, &shape, at);
}

/* ROWTIDE_ECORRUPT stands for a fault that has no message yet. */
static int read_item(rowtide__decoder *decoder)
{
    const unsigned char *at = decoder->at, *end = NULL;
    int rc = ROWTIDE_OK;
    switch (*at) {
    case ROWTIDE_CHANGE_INSERT:
    case ROWTIDE_CHANGE_UPDATE:
    case ROWTIDE_CHANGE_DELETE:
        end = read_change(decoder, at);
        break;
    case 'T':
    case 'P':
        rc = read_header(decoder, at, &end);
        break;
    default:
        fault_in(decoder, at, "neither a change nor a table header");
    }
    if (rc != ROWTIDE_OK && rc != ROWTIDE_ECORRUPT)
        return rc;
    if (rc != ROWTIDE_OK || !end)
        return decoder->missing && decoder->source && !decoder->at_eof
                   ? SHORT
                   : ROWTIDE_ECORRUPT;
    decoder->change.offset = decoder->base + (at - decoder->start);
    decoder->at = end;
    return ROWTIDE_OK;
}

static int fail_corrupt(const rowtide__decoder *decoder)
{
    int64_t offset = decoder->base + (decoder->fault_at - decoder->start);
    const char *name = decoder->source ? rowtide__source_name(decoder->source)
                                       : "changeset";
    if (decoder->flags & ROWTIDE__DECODE_REBASE)
        name = "rebase data";
    if (!decoder->table)
        return rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                                "corrupt %s at byte %lld: %s", name,
                                (long long)offset, decoder->fault);
    return rowtide__fail_at(
        ROWTIDE_ECORRUPT, offset, "corrupt %s at byte %lld: table \"%s\": %s",
        name, (long long)offset, decoder->table->name, decoder->fault);
}

static int keep_failure(rowtide__decoder *decoder, int rc)
{
    if (rc == ROWTIDE_ECORRUPT)
        rc = fail_corrupt(decoder);
    decoder->item = ROWTIDE__ITEM_NONE;
    rowtide__error_save(&decoder->failed);
    return rc;
}

static int fill_window(rowtide__decoder *decoder)
{
    int rc = rowtide__window_fill(decoder);
    if (rc == ROWTIDE_OK)
        return rc;
    decoder->item = ROWTIDE__ITEM_NONE;
    rowtide__error_save(&decoder->failed);
    return rc;
}

/* ROWTIDE_DONE if nothing is left. */
static int look_ahead(rowtide__decoder *decoder)
{
    if (decoder->at < decoder->end)
        return ROWTIDE_OK;
    if (!decoder->source || decoder->at_eof)
        return ROWTIDE_DONE;
    cut_short(decoder, decoder->at, 1, "");
    int rc = fill_window(decoder);
    if (rc != ROWTIDE_OK)
        return rc;
    return decoder->at < decoder->end ? ROWTIDE_OK : ROWTIDE_DONE;
}

int rowtide__decoder_step(rowtide__decoder *decoder)
{
    if (decoder->failed.code) {
        rowtide__error_restore(&decoder->failed);
        return decoder->failed.code;
    }
    int rc = look_ahead(decoder);
    if (rc != ROWTIDE_OK) {
        decoder->item = ROWTIDE__ITEM_NONE;
        return rc;
    }
    while ((rc = read_item(decoder)) == SHORT) {
        rc = fill_window(decoder);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return rc == ROWTIDE_OK ? rc : keep_failure(decoder, rc);
}

int rowtide__decoder_next(rowtide__decoder *decoder)
{
    int rc;
    do
        rc = rowtide__decoder_step(decoder);
    while (rc == ROWTIDE_OK && decoder->item != ROWTIDE__ITEM_CHANGE);
    return rc;
}

int64_t rowtide__decoder_position(const rowtide__decoder *decoder)
{
    return decoder->base + (decoder->at - decoder->start);
}

void rowtide__decoder_open(rowtide__decoder *decoder, const void *data,
                           size_t size, rowtide__tables *tables, unsigned flags)
{
    static const unsigned char nothing[1];
    memset(decoder, 0, sizeof *decoder);
    decoder->start = decoder->at = size ? data : nothing;
    decoder->end = decoder->start + size;
    decoder->patchset = -1;
    decoder->flags = flags;
    decoder->tables = tables ? tables : &decoder->own_tables;
}

void rowtide__decoder_open_source(rowtide__decoder *decoder,
                                  rowtide_source *source, unsigned flags)
{
    size_t size = 0;
    const void *data = rowtide__source_borrow(source, &size);
    rowtide__decoder_open(decoder, data, data ? size : 0, NULL, flags);
    decoder->source = data ? NULL : source;
}

void rowtide__decoder_dispose(rowtide__decoder *decoder)
{
    rowtide__free(decoder->values);
    rowtide__free(decoder->buffer);
    rowtide__tables_dispose(&decoder->own_tables);
    decoder->values = NULL;
    decoder->buffer = NULL;
}
