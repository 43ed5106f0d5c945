#include "crdt/local.h"
#include "crdt/direct.h"
#include "crdt/merge.h"
#include "crdt/twin.h"
#include "base/error.h"

#include <string.h>

int rowtide__value_compare(const rowtide_value *a, const rowtide_value *b)
{
    /* SQLite's numbers of types are in reverse order of rank. */
    if (a->type != b->type)
        return a->type < b->type ? 1 : -1;
    if (a->type == ROWTIDE_INTEGER)
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (a->type == ROWTIDE_REAL)
        return a->real < b->real ? -1 : a->real > b->real;
    if (a->type == ROWTIDE_NULL)
        return 0;
    size_t size = a->size < b->size ? a->size : b->size;
    int order = size > 0 ? memcmp(a->data, b->data, size) : 0;
    return order ? order : a->size < b->size ? -1 : a->size > b->size;
}

static int64_t next_version(const rowtide__clock *clock, int id)
{
    rowtide__cell cell;
    if (!rowtide__clock_find(clock, id, &cell))
        return 1;
    return cell.version < ROWTIDE__GREATEST_VERSION
               ? cell.version + 1
               : ROWTIDE__GREATEST_VERSION; /* peers refuse more */
}

/* Successive columns. */
static int set_cells(rowtide__crdt *engine, rowtide__clock *clock, int id,
                     int count, int64_t db_version)
{
    int rc = ROWTIDE_OK;
    for (int end = id + count; id < end && rc == ROWTIDE_OK; id += count) {
        int64_t version = next_version(clock, id);
        rowtide__cell cell = {0, version, db_version, engine->sequence};
        for (count = 1; id + count < end; count++)
            if (next_version(clock, id + count) != version)
                break;
        engine->sequence += count;
        rc = rowtide__clock_set_range(clock, id, count, &cell);
    }
    return rc;
}

int rowtide__local_set(rowtide__crdt *engine, rowtide__clock *clock, int id,
                       int64_t db_version)
{
    return set_cells(engine, clock, id, 1, db_version);
}

int rowtide__local_create(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock, int64_t db_version,
                          int64_t sequence)
{
    rowtide__cell cell = {0, table->floor + 1, 0, 0};
    (void)engine;
    if (rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell)) {
        if (cell.version == ROWTIDE__GREATEST_VERSION)
            return rowtide__fail(ROWTIDE_ETOOBIG,
                                 "table \"%s\": this key has been deleted for "
                                 "ever by a peer, which gave it the greatest "
                                 "causal length",
                                 table->name);
        /* Peers refuse more. */
        if (cell.version < ROWTIDE__GREATEST_VERSION - 1)
            cell.version += cell.version % 2 == 0 ? 1 : 2;
    }
    cell.site = 0;
    cell.db_version = db_version;
    cell.sequence = sequence;
    return rowtide__clock_set(clock, ROWTIDE__SENTINEL, &cell);
}

/* All columns of a row that was never seen. */
static int set_fresh(rowtide__crdt *engine, rowtide__crdt_table *table,
                     rowtide__clock *clock, int64_t db_version)
{
    rowtide__cell cell = {0, 1, db_version, 0};
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK;) {
        int from = i++;
        while (i < table->column_count
               && table->columns[i].id == table->columns[i - 1].id + 1)
            i++;
        cell.sequence = engine->sequence;
        engine->sequence += i - from;
        rc = rowtide__clock_set_range(clock, table->columns[from].id, i - from,
                                      &cell);
    }
    return rc;
}

int rowtide__local_insert(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock)
{
    int64_t db_version, sequence;
    rowtide__cell cell;
    int rc = rowtide__crdt_next_version(engine, 0, &db_version);
    if (rc != ROWTIDE_OK)
        return rc;
    if (table->column_count == 0)
        return rowtide__local_create(engine, table, clock, db_version,
                                     engine->sequence++);
    if (clock->count == 0) {
        if (table->floor > 0)
            rc = rowtide__local_create(engine, table, clock, db_version,
                                       engine->sequence++);
        return rc == ROWTIDE_OK ? set_fresh(engine, table, clock, db_version)
                                : rc;
    }
    /* A row that was seen uses a sequence for its sentinel, if there is one
     * or not. */
    sequence = engine->sequence++;
    if (rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell))
        rc = rowtide__local_create(engine, table, clock, db_version, sequence);
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__local_set(engine, clock, table->columns[i].id,
                                db_version);
    return rc;
}

int rowtide__local_delete(rowtide__crdt *engine, rowtide__clock *clock)
{
    rowtide__cell cell = {0, 1, 0, 0};
    int rc = rowtide__crdt_next_version(engine, 0, &cell.db_version);
    int64_t db_version = cell.db_version;
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell);
    cell.site = 0;
    cell.version++;
    cell.db_version = db_version;
    cell.sequence = engine->sequence++;
    rowtide__clock_drop_cells(clock);
    return rowtide__clock_set(clock, ROWTIDE__SENTINEL, &cell);
}

/* ## What triggers call */

static int fail_stale(const rowtide__crdt_table *table)
{
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "table \"%s\" was altered outside crsql_begin_alter "
                         "and crsql_commit_alter: run SELECT "
                         "crsql_commit_alter('%s')",
                         table->name, table->name);
}

/* The triggers of cr-sqlite name the table. */
static int fail_foreign(sqlite3_value *name)
{
    const char *text = (const char *)sqlite3_value_text(name);
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "table \"%s\" takes part in cr-sqlite 0.16: run "
                         "SELECT rowtide_crdt_convert()",
                         text ? text : "");
}

/* It may have changed since the last statement. */
static int reopen_altered(rowtide__crdt *engine, sqlite3_value *id,
                          rowtide__crdt_table **out)
{
    uint64_t seen = engine->schema_seen;
    int rc = rowtide__merge_watch(engine);
    if (rc != ROWTIDE_OK || seen == engine->schema_seen || engine->busy)
        return rc;
    rowtide__crdt_tables_forget(engine);
    return rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out);
}

/* What is known of the table may be old. */
static int join_instead(rowtide__crdt *engine, sqlite3_value *id,
                        rowtide__crdt_table **out)
{
    if (!rowtide__direct_is_entered(engine))
        return ROWTIDE_OK;
    int rc = rowtide__direct_cancel(engine);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out)
               : rc;
}

int rowtide__local_open(rowtide__crdt *engine, sqlite3_value *id,
                        rowtide__crdt_table **out)
{
    int rc = rowtide__local_check_main(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK && sqlite3_value_type(id) == SQLITE_TEXT)
        rc = fail_foreign(id);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_by_id(engine, sqlite3_value_int64(id), out);
    if (rc == ROWTIDE_OK && ((*out)->altering || (*out)->folding))
        rc = join_instead(engine, id, out);
    if (rc == ROWTIDE_OK && (*out)->altering)
        return reopen_altered(engine, id, out);
    if (rc == ROWTIDE_OK && (*out)->stale)
        rc = fail_stale(*out);
    return rc;
}

static int read_key(rowtide__crdt *engine, rowtide__crdt_table *table,
                    sqlite3_value **argv, rowtide__key *key)
{
    rowtide_value values[128];
    int rc = ROWTIDE_OK;
    if (table->integer_key && sqlite3_value_type(argv[0]) == SQLITE_INTEGER) {
        rowtide__key_of_integer(sqlite3_value_int64(argv[0]), key);
        return rowtide__merge_yield(engine, table, key);
    }
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_argument(argv[i], &values[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_pack(table, values, &engine->key, key);
    return rc == ROWTIDE_OK ? rowtide__merge_yield(engine, table, key) : rc;
}

typedef int (*row_change)(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock);

/* A row with another spelling of the key was in its place. */
static int bury_twin(rowtide__crdt *engine, rowtide__crdt_table *table,
                     const rowtide__key *key)
{
    rowtide__key gone;
    rowtide__clock *clock = &engine->work;
    if (!table->folding || !rowtide__twin_take(engine, table, key, &gone))
        return ROWTIDE_OK;
    int rc = rowtide__clock_load(engine, table, &gone, clock);
    if (rc != ROWTIDE_OK || rowtide__clock_length(clock) % 2 == 0)
        return rc;
    rc = rowtide__local_delete(engine, clock);
    return rc == ROWTIDE_OK ? rowtide__crdt_put(engine, table, &gone, clock)
                            : rc;
}

static int change_row(rowtide__crdt *engine, int argc, sqlite3_value **argv,
                      row_change change)
{
    rowtide__crdt_table *table;
    rowtide__key key;
    int rc = rowtide__local_open(engine, argv[0], &table);
    if (rc == ROWTIDE_OK && argc - 1 != table->key_count)
        rc = rowtide__fail(ROWTIDE_EINVAL, "expected %d values, got %d",
                           table->key_count, argc - 1);
    if (rc == ROWTIDE_OK)
        rc = read_key(engine, table, argv + 1, &key);
    if (rc == ROWTIDE_OK && rowtide__merge_is_writing(engine, table, &key)) {
        engine->merge->inserted += change == rowtide__local_insert;
        engine->merge->deleted += change != rowtide__local_insert;
        return ROWTIDE_OK;
    }
    if (rc == ROWTIDE_OK && change == rowtide__local_insert)
        rc = bury_twin(engine, table, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, table, &key, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = change(engine, table, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_put(engine, table, &key, &engine->work);
    return rc;
}

static int delete_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__clock *clock)
{
    (void)table;
    return rowtide__local_delete(engine, clock);
}

typedef int (*tracked)(rowtide__crdt *engine, int argc, sqlite3_value **argv);

static int track(rowtide__crdt *engine, int argc, sqlite3_value **argv,
                 tracked call)
{
    rowtide__direct_enter(engine);
    int rc = rowtide__direct_leave(engine, call(engine, argc, argv));
    return rc == ROWTIDE_DONE ? call(engine, argc, argv) : rc;
}

static int track_insert(rowtide__crdt *engine, int argc, sqlite3_value **argv)
{
    return change_row(engine, argc, argv, rowtide__local_insert);
}

static int track_delete(rowtide__crdt *engine, int argc, sqlite3_value **argv)
{
    return change_row(engine, argc, argv, delete_row);
}

static void end_call(sqlite3_context *context, rowtide__crdt *engine, int rc)
{
    if (rc != ROWTIDE_OK)
        rowtide__crdt_result_error(context, rowtide__crdt_failed(engine, rc));
}

int rowtide__local_applies(const rowtide__crdt *engine)
{
    return !engine->sync_bit || engine->merging;
}

static int is_applicable(const rowtide__crdt *engine, int argc, int least)
{
    return argc >= least && rowtide__local_applies(engine);
}

static void after_insert(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 2))
        end_call(context, engine, track(engine, argc, argv, track_insert));
}

static void after_delete(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 2))
        end_call(context, engine, track(engine, argc, argv, track_delete));
}

/* ## UPDATE
 *
 * crsql_after_update(table, first, new key.., old key.., new.., old..): the
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

/* Both clocks are loaded; the old one is saved here. */
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
        rc = rowtide__local_create(engine, call->table, to, db_version,
                                   engine->sequence++);
    if (rc == ROWTIDE_OK)
        rc = read_key(engine, call->table, call->old_key, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_put(engine, call->table, &key, from);
    return rc;
}

static int load_old(update *call, rowtide__clock *out)
{
    rowtide__key key;
    int rc = read_key(call->engine, call->table, call->old_key, &key);
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
    return rc == ROWTIDE_OK
               ? set_cells(call->engine, clock,
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
    int rc = read_key(call->engine, call->table, values, &key);
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
    rc = read_key(engine, call->table, call->new_key, &key);
    if (rc == ROWTIDE_OK && moved)
        rc = bury_twin(engine, call->table, &key);
    if (rc == ROWTIDE_OK && moved)
        rc = load_old(call, &engine->work2);
    if (rc == ROWTIDE_OK && moved)
        rc = read_key(engine, call->table, call->new_key, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, call->table, &key, &engine->work);
    if (rc == ROWTIDE_OK && moved)
        rc = move_cells(call, &engine->work2, &engine->work);
    if (rc == ROWTIDE_OK)
        rc = set_changed(call, &engine->work, 0, &any);
    if (rc != ROWTIDE_OK || (!moved && !any))
        return rc;
    if (moved)
        rc = read_key(engine, call->table, call->new_key, &key);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(engine, call->table, &key, &engine->work)
               : rc;
}

static int track_update(rowtide__crdt *engine, int argc, sqlite3_value **argv)
{
    update call;
    memset(&call, 0, sizeof call);
    call.engine = engine;
    int rc = read_update(&call, argc, argv);
    return rc == ROWTIDE_OK ? update_row(&call) : rc;
}

static void after_update(sqlite3_context *context, int argc,
                         sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    if (is_applicable(engine, argc, 4))
        end_call(context, engine, track(engine, argc, argv, track_update));
}

/* Before all columns are read for nothing. */
static void is_tracked(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    rowtide__crdt *engine = sqlite3_user_data(context);
    (void)argc;
    (void)argv;
    sqlite3_result_int(context, is_applicable(engine, 0, 0)
                                    && !rowtide__merge_is_alone(engine));
}

int rowtide__crdt_add_local(rowtide__crdt *engine)
{
    int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
    int rc = rowtide__crdt_function(engine, "crsql_after_insert", -1, flags,
                                    after_insert);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_after_delete", -1, flags,
                                    after_delete);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_after_update", -1, flags,
                                    after_update);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(engine, "crsql_is_tracked", 0, flags,
                                    is_tracked);
    return rc;
}
