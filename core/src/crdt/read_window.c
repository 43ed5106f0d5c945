#include "crdt/read.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

/* A window: the rows of a table without rowids that come next, read at once in
 * the order of their keys. Looked up one by one, keys that were written in no
 * order would each have a page read. */

typedef rowtide__window window;

/* Rows of the first and of the greatest window, as it may be that no more are
 * wanted; and the bytes of its values. */
enum { FEWEST = 16, MOST = 1 << 15, LARGEST = 4 << 20 };

void rowtide__window_dispose(window *kept)
{
    rowtide__free(kept->starts);
    rowtide_buffer_dispose(&kept->values);
}

/* 1 if nothing has been written since it was read. */
static int is_valid(const rowtide__reader *reader)
{
    const window *kept = &reader->window;
    return kept->table == reader->table
           && kept->serial == reader->engine->serial
           && kept->generation == reader->engine->generation
           && kept->changes == sqlite3_total_changes(reader->engine->sqlite);
}

static uint64_t distance(int64_t from, int64_t to)
{
    return (uint64_t)to - (uint64_t)from;
}

/* ## Filling */

/* The next one is greater if all of this one was wanted. */
static size_t choose_size(const rowtide__reader *reader)
{
    const window *kept = &reader->window;
    uint64_t behind = distance(kept->first, reader->row) - kept->rows;
    size_t size = is_valid(reader) && behind <= 1 ? kept->next : FEWEST;
    uint64_t left = distance(reader->row, reader->run_last) + 1;
    return left < size ? (size_t)left : size;
}

static int begin(rowtide__reader *reader)
{
    window *kept = &reader->window;
    kept->rows = choose_size(reader);
    kept->first = reader->row;
    kept->table = NULL;
    kept->serial = reader->engine->serial;
    kept->generation = reader->engine->generation;
    kept->changes = sqlite3_total_changes(reader->engine->sqlite);
    rowtide__buffer_clear(&kept->values);
    rowtide__free(kept->starts);
    kept->starts = rowtide__alloc_array(kept->rows, sizeof *kept->starts);
    return kept->starts ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* ROWTIDE_DONE if there is no room for it. */
static int pack_row(window *kept, const rowtide__crdt_table *table)
{
    rowtide__writer writer = {&kept->values, ROWTIDE_OK};
    rowtide_value value;
    size_t start = kept->values.size;
    for (int i = 0; i < table->column_count; i++) {
        int rc = rowtide__crdt_read_column(table->scan, 1 + i, &value);
        if (rc != ROWTIDE_OK)
            return rc;
        if (kept->values.size + value.size > LARGEST) {
            rowtide__buffer_cut(&kept->values, start);
            return ROWTIDE_DONE;
        }
        rowtide__pack_value(&writer, &value);
    }
    return writer.rc;
}

typedef struct found {
    int64_t last; /* the greatest row */
    size_t count;
    int full; /* there was no room for more */
} found;

/* A collation may find two rows for a key: the first counts. */
static int take_row(window *kept, const rowtide__crdt_table *table, found *out)
{
    int64_t row = sqlite3_column_int64(table->scan, 0);
    uint64_t nth = distance(kept->first, row);
    size_t start = kept->values.size;
    if (nth >= kept->rows || kept->starts[nth] > 0)
        return ROWTIDE_OK;
    int rc = pack_row(kept, table);
    out->full = rc == ROWTIDE_DONE;
    if (rc != ROWTIDE_OK)
        return rc;
    kept->starts[nth] = (uint32_t)start + 1;
    out->last = out->count++ > 0 && row < out->last ? out->last : row;
    return ROWTIDE_OK;
}

static int read_rows(rowtide__reader *reader, found *out)
{
    rowtide__crdt_table *table = reader->table;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK) {
        rc = rowtide__crdt_step(reader->engine, table->scan);
        if (rc == ROWTIDE_OK)
            rc = take_row(&reader->window, table, out);
    }
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Keys that took too much memory are missing at the end; values, anywhere. */
static void finish(window *kept, const found *result)
{
    if (!result->full && result->count > 0)
        kept->rows = (size_t)distance(kept->first, result->last) + 1;
    kept->next = result->full                       ? result->count / 2
                 : kept->values.size <= LARGEST / 2 ? kept->rows * 2
                                                    : kept->rows;
    if (kept->next < FEWEST)
        kept->next = FEWEST;
    if (kept->next > MOST)
        kept->next = MOST;
}

/* Read from the row of the reader on. */
static int fill(rowtide__reader *reader)
{
    rowtide__crdt_table *table = reader->table;
    window *kept = &reader->window;
    found result = {0, 0, 0};
    int rc = rowtide__crdt_prepare_scan(reader->engine, table);
    if (rc == ROWTIDE_OK)
        rc = begin(reader);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->scan, 1, kept->first);
    sqlite3_bind_int64(table->scan, 2, kept->first + (int64_t)kept->rows - 1);
    rc = read_rows(reader, &result);
    sqlite3_reset(table->scan);
    if (rc != ROWTIDE_OK)
        return rc;
    finish(kept, &result);
    kept->table = table;
    return ROWTIDE_OK;
}

/* ## Reading from it */

static int seek(window *kept, int64_t row, int columns)
{
    uint32_t start = kept->starts[distance(kept->first, row)];
    if (start == 0)
        return ROWTIDE_DONE;
    rowtide__unpack unpack = {(const unsigned char *)kept->values.data,
                              kept->values.size, start - 1, columns};
    kept->unpack = unpack;
    kept->column = 0;
    return ROWTIDE_OK;
}

int rowtide__window_find(rowtide__reader *reader, int may_fill)
{
    window *kept = &reader->window;
    int rc = ROWTIDE_OK;
    if (!is_valid(reader) || distance(kept->first, reader->row) >= kept->rows)
        rc = may_fill ? fill(reader) : ROWTIDE_DONE;
    return rc == ROWTIDE_OK
               ? seek(kept, reader->row, reader->table->column_count)
               : rc;
}

/* Columns mostly are asked for in their order. */
int rowtide__window_value(rowtide__reader *reader, int column,
                          rowtide_value *out)
{
    window *kept = &reader->window;
    int rc = ROWTIDE_OK;
    if (column + 1 < kept->column)
        rc = seek(kept, reader->row, reader->table->column_count);
    for (; kept->column <= column && rc == ROWTIDE_OK; kept->column++)
        rc = rowtide__unpack_next(&kept->unpack, &kept->value);
    *out = kept->value;
    return rc;
}
