#include "crdt/alter_track.h"
#include "crdt/local.h"
#include "crdt/merge.h"
#include "crdt/pack.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* While a table is altered its triggers must not name columns that may be
 * dropped. So a row is read as a whole before it is updated, kept until it has
 * been, and compared then. */

/* Rows that are being updated, one inside a trigger of the other. Of one that
 * is not found any more all cells count as changed. */
enum { ROWS = 16 };

typedef struct row {
    const rowtide__crdt_table *table;
    uint64_t generation;
    rowtide_buffer key, values; /* packed, without the count */
    int count;
} row;

struct rowtide__altered {
    row rows[ROWS];
    unsigned next;
};

void rowtide__altered_free(rowtide__crdt *engine)
{
    if (!engine->altered)
        return;
    for (int i = 0; i < ROWS; i++) {
        rowtide_buffer_dispose(&engine->altered->rows[i].key);
        rowtide_buffer_dispose(&engine->altered->rows[i].values);
    }
    rowtide__free(engine->altered);
    engine->altered = NULL;
}

typedef struct call {
    rowtide__crdt *engine;
    rowtide__crdt_table *table;
    sqlite3_value **new_key, **old_key;
    rowtide_buffer key; /* the old one */
} call;

static int pack_key(call *it, sqlite3_value **values, rowtide_buffer *out,
                    rowtide__key *key)
{
    rowtide_value parts[128];
    rowtide__writer writer = {out, ROWTIDE_OK};
    int rc = ROWTIDE_OK;
    for (int i = 0; i < it->table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_argument(values[i], &parts[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_pack(it->table, parts, out, key);
    if (rc == ROWTIDE_OK && it->table->integer_key) {
        rowtide__buffer_clear(out);
        rowtide__pack_value(&writer, &parts[0]);
        rc = writer.rc;
    }
    return rc;
}

/* ROWTIDE_DONE if there is no such row. */
static int read_row(call *it, sqlite3_value **values)
{
    rowtide__crdt_table *table = it->table;
    rowtide__key key;
    table->reader = NULL;
    int rc = rowtide__crdt_prepare_get(it->engine, table);
    if (rc == ROWTIDE_OK)
        rc = pack_key(it, values, &it->engine->key, &key);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_reset(table->get);
    rc = rowtide__key_bind(table, table->get, 1, &key);
    return rc == ROWTIDE_OK ? rowtide__crdt_step(it->engine, table->get) : rc;
}

/* ## Before */

static int keep_values(call *it, row *kept)
{
    rowtide__writer writer = {&kept->values, ROWTIDE_OK};
    rowtide_value value;
    int rc = ROWTIDE_OK;
    rowtide__buffer_clear(&kept->values);
    for (int i = 0; i < it->table->column_count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__crdt_read_column(it->table->get, it->table->key_count + i,
                                       &value);
        if (rc == ROWTIDE_OK)
            rowtide__pack_value(&writer, &value);
    }
    kept->count = it->table->column_count;
    return rc == ROWTIDE_OK ? writer.rc : rc;
}

static int keep_row(call *it)
{
    struct rowtide__altered *altered = it->engine->altered;
    rowtide__key key;
    if (!altered)
        altered = rowtide__alloc_zero(sizeof *altered);
    if (!altered)
        return ROWTIDE_ENOMEM;
    it->engine->altered = altered;
    row *kept = &altered->rows[altered->next++ % ROWS];
    kept->table = NULL;
    int rc = read_row(it, it->old_key);
    if (rc == ROWTIDE_OK)
        rc = keep_values(it, kept);
    sqlite3_reset(it->table->get);
    if (rc == ROWTIDE_OK)
        rc = pack_key(it, it->old_key, &kept->key, &key);
    if (rc != ROWTIDE_OK)
        return rc < 0 ? rc : ROWTIDE_OK;
    kept->table = it->table;
    kept->generation = it->engine->generation;
    return ROWTIDE_OK;
}

/* ## After */

static row *find_row(call *it)
{
    struct rowtide__altered *altered = it->engine->altered;
    for (unsigned back = 1; altered && back <= ROWS; back++) {
        row *kept = &altered->rows[(altered->next - back) % ROWS];
        if (kept->table == it->table
            && kept->generation == it->engine->generation
            && kept->key.size == it->key.size
            && (it->key.size == 0
                || memcmp(kept->key.data, it->key.data, it->key.size) == 0))
            return kept;
    }
    return NULL;
}

static int is_changed(call *it, rowtide__unpack *before, int place, int *out)
{
    rowtide_value was, is;
    int rc = rowtide__crdt_read_column(it->table->get,
                                       it->table->key_count + place, &is);
    if (rc == ROWTIDE_OK)
        rc = rowtide__unpack_next(before, &was);
    *out = rc == ROWTIDE_OK && rowtide__value_compare(&was, &is) != 0;
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* `clock` is that of the row as it is now. */
static int set_changed(call *it, const row *kept, rowtide__clock *clock,
                       int merged, int *any)
{
    rowtide__unpack before = {NULL, 0, 0, 0};
    int64_t version;
    int changed = 1, rc = ROWTIDE_OK;
    if (kept) {
        before.data = (const unsigned char *)kept->values.data;
        before.size = kept->values.size;
        before.left = kept->count;
    }
    for (int i = 0; i < it->table->column_count && rc == ROWTIDE_OK; i++) {
        if (kept)
            rc = is_changed(it, &before, i, &changed);
        if (rc != ROWTIDE_OK || !changed
            || (merged && rowtide__merge_is_set(it->engine, i)))
            continue;
        *any = 1;
        rc = rowtide__crdt_next_version(it->engine, 0, &version);
        if (rc == ROWTIDE_OK)
            rc = rowtide__local_set(it->engine, clock, it->table->columns[i].id,
                                    version);
    }
    return rc;
}

static int compare_row(call *it)
{
    rowtide__crdt *engine = it->engine;
    rowtide__clock *clock = &engine->work;
    rowtide__key key;
    int any = 0;
    int rc = pack_key(it, it->old_key, &it->key, &key);
    row *kept = rc == ROWTIDE_OK ? find_row(it) : NULL;
    if (rc == ROWTIDE_OK)
        rc = read_row(it, it->new_key);
    if (rc == ROWTIDE_OK)
        rc = pack_key(it, it->new_key, &engine->key, &key);
    int merged = rc == ROWTIDE_OK
                 && rowtide__merge_is_writing(engine, it->table, &key);
    if (merged)
        clock = &engine->merge->clock;
    else if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, it->table, &key, clock);
    if (rc == ROWTIDE_OK)
        rc = set_changed(it, kept, clock, merged, &any);
    sqlite3_reset(it->table->get);
    if (kept)
        kept->table = NULL;
    if (rc == ROWTIDE_OK && any && !merged)
        rc = rowtide__crdt_put(engine, it->table, &key, clock);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## What triggers call */

static void run(sqlite3_context *context, int argc, sqlite3_value **argv,
                int (*work)(call *), int keys)
{
    call it = {.engine = sqlite3_user_data(context)};
    if (argc < 2 || !rowtide__local_applies(it.engine))
        return;
    int rc = rowtide__local_open(it.engine, argv[0], &it.table);
    if (rc == ROWTIDE_OK && argc - 1 != keys * it.table->key_count)
        rc = rowtide__fail(ROWTIDE_EINVAL, "expected %d values, got %d",
                           keys * it.table->key_count, argc - 1);
    if (rc == ROWTIDE_OK) {
        it.new_key = argv + 1;
        it.old_key = argv + 1 + (keys - 1) * it.table->key_count;
        rc = work(&it);
    }
    rowtide_buffer_dispose(&it.key);
    if (rc != ROWTIDE_OK)
        rowtide__crdt_result_error(context,
                                   rowtide__crdt_failed(it.engine, rc));
}

static void before(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    run(context, argc, argv, keep_row, 1);
}

static void after(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    run(context, argc, argv, compare_row, 2);
}

int rowtide__crdt_add_alter(rowtide__crdt *engine)
{
    int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    int rc = rowtide__crdt_function(engine, "crsql_alter_before", -1, flags,
                                    before);
    return rc == ROWTIDE_OK ? rowtide__crdt_function(
                                  engine, "crsql_alter_after", -1, flags, after)
                            : rc;
}
