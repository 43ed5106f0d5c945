#include "crdt/local.h"
#include "crdt/merge.h"
#include "base/error.h"

#include <string.h>

/* crsql_after_update(table, first, new key.., old key.., new.., old..): the
 * columns from `first` on, of which a call can take so many. */

typedef struct update {
    rowtide__crdt *engine;
    rowtide__crdt_table *table;
    int first, count;
    sqlite3_value **new_key, **old_key, **new_values, **old_values;
} update;

static int read_update(update *call, int argc, sqlite3_value **argv)
{
    int rc = rowtide__local_open(call->engine, argv[0], &call->table);
    if (rc != ROWTIDE_OK)
        return rc;
    int keys = call->table->key_count;
    call->first = sqlite3_value_int(argv[1]);
    call->count = (argc - 2 - 2 * keys) / 2;
    if (call->count < 0 || call->first < 0
        || call->first + call->count > call->table->column_count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crsql_after_update: table \"%s\" "
                             "has another number of columns",
                             call->table->name);
    call->new_key = argv + 2;
    call->old_key = call->new_key + keys;
    call->new_values = call->old_key + keys;
    call->old_values = call->new_values + call->count;
    return ROWTIDE_OK;
}

static int differ_in_bytes(sqlite3_value *a, sqlite3_value *b, int *out)
{
    int size = sqlite3_value_bytes(a);
    *out = size != sqlite3_value_bytes(b);
    if (*out || size == 0)
        return ROWTIDE_OK;
    const void *left = sqlite3_value_blob(a), *right = sqlite3_value_blob(b);
    if (!left || !right)
        return rowtide__nomem();
    *out = memcmp(left, right, (size_t)size) != 0;
    return ROWTIDE_OK;
}

/* As rowtide__value_compare() has it. */
static int is_changed(sqlite3_value *a, sqlite3_value *b, int *out)
{
    int type = sqlite3_value_type(a);
    *out = type != sqlite3_value_type(b);
    if (*out)
        return ROWTIDE_OK;
    switch (type) {
    case SQLITE_INTEGER:
        *out = sqlite3_value_int64(a) != sqlite3_value_int64(b);
        return ROWTIDE_OK;
    case SQLITE_FLOAT:
        *out = sqlite3_value_double(a) != sqlite3_value_double(b);
        return ROWTIDE_OK;
    case SQLITE_NULL:
        return ROWTIDE_OK;
    default:
        return differ_in_bytes(a, b, out);
    }
}

static int is_key_changed(update *call, int *out)
{
    int rc = ROWTIDE_OK;
    *out = 0;
    for (int i = 0; i < call->table->key_count && !*out && rc == ROWTIDE_OK;
         i++)
        rc = is_changed(call->new_key[i], call->old_key[i], out);
    return rc;
}

/* The cells of the old key, told anew as cells of the new one. */
static int take_cells(rowtide__crdt *engine, rowtide__clock *from,
                      rowtide__clock *to, int64_t db_version)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < from->count && rc == ROWTIDE_OK; i++) {
        const rowtide__group *group = &from->groups[i];
        if (group->column == ROWTIDE__SENTINEL)
            continue;
        rowtide__cell cell = {0, group->version, db_version, engine->sequence};
        engine->sequence += group->count;
        rc = rowtide__clock_set_range(to, group->column, group->count, &cell);
    }
    return rc;
}

/* UPDATE OR REPLACE has removed a row whose cells the old row's must win over:
 * what has a clock here and none there, and the row itself, which is alive
 * without a sentinel. */
static int replace_cells(update *call, const rowtide__clock *from,
                         rowtide__clock *to, int64_t db_version)
{
    rowtide__cell cell = {0, 1, db_version, 0};
    int rc = ROWTIDE_OK;
    if (to->count == 0)
        return rc;
    if (!rowtide__clock_find(to, ROWTIDE__SENTINEL, &cell))
        rc = rowtide__clock_set(to, ROWTIDE__SENTINEL, &cell);
    for (int i = 0; i < call->table->column_count && rc == ROWTIDE_OK; i++) {
        int id = call->table->columns[i].id;
        if (!rowtide__clock_find(from, id, &cell)
            && rowtide__clock_find(to, id, &cell))
            rc = rowtide__local_set(call->engine, to, id, db_version);
    }
    return rc;
}

/* A row that gives way to another one (UPDATE OR REPLACE) may have had newer
 * cells: these count only if the row is made again, not if it went on. */
static int displace(rowtide__clock *clock, int64_t db_version)
{
    rowtide__cell cell = {0, 1, db_version, 0};
    if (clock->count == 0
        || rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell))
        return ROWTIDE_OK;
    return rowtide__clock_set(clock, ROWTIDE__SENTINEL, &cell);
}

/* Both clocks are loaded; the old one is saved here. */
static int move_cells(update *call, rowtide__clock *from, rowtide__clock *to)
{
    rowtide__crdt *engine = call->engine;
    rowtide__key key;
    int64_t db_version;
    int rc = rowtide__crdt_next_version(engine, 0, &db_version);
    if (rc == ROWTIDE_OK)
        rc = displace(to, db_version);
    if (rc == ROWTIDE_OK)
        rc = replace_cells(call, from, to, db_version);
    if (rc == ROWTIDE_OK)
        rc = take_cells(engine, from, to, db_version);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_delete(engine, from);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_create(call->table, to, db_version,
                                   engine->sequence++);
    if (rc == ROWTIDE_OK)
        rc = rowtide__local_key(engine, call->table, call->old_key, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_put(engine, call->table, &key, from);
    return rc;
}

static int load_old(update *call, rowtide__clock *out)
{
    rowtide__key key;
    int rc = rowtide__local_key(call->engine, call->table, call->old_key, &key);
    return rc == ROWTIDE_OK
               ? rowtide__clock_load(call->engine, call->table, &key, out)
               : rc;
}

/* `merged`: the row is being merged, and of its cells those are not ours. */
static int is_ours(update *call, int i, int merged, int *out)
{
    int rc = is_changed(call->new_values[i], call->old_values[i], out);
    if (rc == ROWTIDE_OK && *out && merged)
        *out = !rowtide__merge_is_set(call->engine, call->first + i);
    return rc;
}

static int set_neighbours(update *call, rowtide__clock *clock, int from,
                          int end)
{
    int64_t db_version;
    if (from == end)
        return ROWTIDE_OK;
    int rc = rowtide__crdt_next_version(call->engine, 0, &db_version);
    return rc == ROWTIDE_OK ? rowtide__local_set_cells(
                                  call->engine, clock,
                                  call->table->columns[call->first + from].id,
                                  end - from, db_version)
                            : rc;
}

/* Neighbours are set at once. */
static int set_changed(update *call, rowtide__clock *clock, int merged,
                       int *any)
{
    const rowtide__crdt_column *columns = call->table->columns + call->first;
    int rc = ROWTIDE_OK, changed, from = 0;
    for (int i = 0; i < call->count && rc == ROWTIDE_OK; i++) {
        rc = is_ours(call, i, merged, &changed);
        if (rc != ROWTIDE_OK)
            return rc;
        *any |= changed;
        if (changed && i + 1 < call->count
            && columns[i + 1].id == columns[i].id + 1)
            continue;
        rc = set_neighbours(call, clock, from, i + changed);
        from = i + 1;
    }
    return rc;
}

/* By the merge itself, or by a trigger of the row. */
static int update_merged(update *call, int moved)
{
    int any = 0;
    /* With the merged row its key takes another spelling. */
    if (moved && call->table->folding)
        return ROWTIDE_OK;
    if (moved)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "a trigger changes the key of a row that is being "
                             "merged");
    return set_changed(call, &call->engine->merge->clock, 1, &any);
}

static int is_merged(update *call, sqlite3_value **values, int *out)
{
    rowtide__key key;
    int rc = rowtide__local_key(call->engine, call->table, values, &key);
    *out = rc == ROWTIDE_OK
           && rowtide__merge_is_writing(call->engine, call->table, &key);
    return rc;
}

static int update_row(update *call)
{
    rowtide__crdt *engine = call->engine;
    rowtide__key key;
    int moved = 0, any = 0, merged = 0, rc = ROWTIDE_OK;
    if (call->first == 0)
        rc = is_key_changed(call, &moved);
    if (rc == ROWTIDE_OK && moved && engine->merging)
        rc = is_merged(call, call->old_key, &merged);
    if (rc == ROWTIDE_OK && !merged && engine->merging)
        rc = is_merged(call, call->new_key, &merged);
    if (rc != ROWTIDE_OK || merged)
        return rc == ROWTIDE_OK ? update_merged(call, moved) : rc;
    rc = rowtide__local_key(engine, call->table, call->new_key, &key);
    if (rc == ROWTIDE_OK && moved)
        rc = rowtide__local_bury_twin(engine, call->table, &key);
    if (rc == ROWTIDE_OK && moved)
        rc = load_old(call, &engine->work2);
    if (rc == ROWTIDE_OK && moved)
        rc = rowtide__local_key(engine, call->table, call->new_key, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, call->table, &key, &engine->work);
    if (rc == ROWTIDE_OK && moved)
        rc = move_cells(call, &engine->work2, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = set_changed(call, &engine->work, 0, &any);
    if (rc != ROWTIDE_OK || (!moved && !any))
        return rc;
    if (moved)
        rc = rowtide__local_key(engine, call->table, call->new_key, &key);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(engine, call->table, &key, &engine->work)
               : rc;
}

int rowtide__local_track_update(rowtide__crdt *engine, int argc,
                                sqlite3_value **argv)
{
    update call;
    memset(&call, 0, sizeof call);
    call.engine = engine;
    int rc = read_update(&call, argc, argv);
    return rc == ROWTIDE_OK ? update_row(&call) : rc;
}
