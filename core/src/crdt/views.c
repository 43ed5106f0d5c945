#include "crdt/enable.h"
#include "crdt/pack.h"
#include "crdt/tail.h"
#include "crdt/vtab.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

/* What tools look into: T__crsql_clock and T__crsql_pks are views of
 * rowtide_crdt_clock(table), which lists the cells of the stored clocks. */

enum { KEY, COL_NAME, COL_VERSION, DB_VERSION, SITE_ID, SEQ, TABLE_ID, PK };

typedef struct clock_cursor {
    sqlite3_vtab_cursor base;
    rowtide__crdt_table *table;
    rowtide__walk walk; /* at a record */
    int64_t nth;        /* row of it */
    int group, offset;  /* of the cell */
    int64_t key;
    int ended;
} clock_cursor;

static int connect_clock(sqlite3 *sqlite, void *engine, int argc,
                         const char *const *argv, sqlite3_vtab **out,
                         char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    return rowtide__vtab_connect(
        sqlite, engine,
        "CREATE TABLE x(key INTEGER, col_name TEXT, col_version INTEGER, "
        "db_version INTEGER, site_id INTEGER, seq INTEGER, table_id INTEGER "
        "HIDDEN, pk BLOB HIDDEN)",
        out);
}

static int plan_clock(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    info->estimatedCost = 1e9;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != TABLE_ID
            || !info->aConstraint[i].usable
            || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->idxNum = 1;
        info->estimatedCost = 1e6;
    }
    return SQLITE_OK;
}

static int open_clock(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    return rowtide__vtab_open(sizeof(clock_cursor), out);
}

static int close_clock(sqlite3_vtab_cursor *base)
{
    clock_cursor *cursor = (clock_cursor *)base;
    rowtide__walk_close(&cursor->walk);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static rowtide__crdt *engine_of(sqlite3_vtab_cursor *base)
{
    return rowtide__vtab_engine(base->pVtab);
}

static int next_record(clock_cursor *cursor)
{
    int rc = rowtide__walk_next(&cursor->walk);
    cursor->ended = rc != ROWTIDE_OK;
    cursor->nth = cursor->group = cursor->offset = 0;
    cursor->key++;
    return rc;
}

/* Cells of columns that are gone are passed over. */
static int is_shown(const clock_cursor *cursor)
{
    if (cursor->group >= cursor->walk.clock.count)
        return 0;
    int column = cursor->walk.clock.groups[cursor->group].column
                 + cursor->offset;
    return column == ROWTIDE__SENTINEL
           || rowtide__crdt_column_by_id(cursor->table, column) >= 0;
}

static int step_cell(clock_cursor *cursor)
{
    if (cursor->group < cursor->walk.clock.count
        && ++cursor->offset < cursor->walk.clock.groups[cursor->group].count)
        return ROWTIDE_OK;
    cursor->offset = 0;
    if (++cursor->group < cursor->walk.clock.count)
        return ROWTIDE_OK;
    cursor->group = 0;
    if (++cursor->nth == cursor->walk.rows)
        return next_record(cursor);
    cursor->key++;
    return ROWTIDE_OK;
}

static int next_clock(sqlite3_vtab_cursor *base)
{
    clock_cursor *cursor = (clock_cursor *)base;
    int rc;
    do
        rc = step_cell(cursor);
    while (rc == ROWTIDE_OK && !cursor->ended && !is_shown(cursor));
    return rowtide__vtab_end_call(base->pVtab, rc);
}

static int start(clock_cursor *cursor, int64_t id)
{
    rowtide__crdt *engine = engine_of(&cursor->base);
    int rc = rowtide__crdt_refresh(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_by_id(engine, id, &cursor->table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__walk_open(&cursor->walk, engine, cursor->table);
    if (rc == ROWTIDE_OK)
        rc = next_record(cursor);
    return rc;
}

static int filter_clock(sqlite3_vtab_cursor *base, int plan, const char *text,
                        int argc, sqlite3_value **argv)
{
    clock_cursor *cursor = (clock_cursor *)base;
    (void)text;
    (void)argc;
    rowtide__walk_close(&cursor->walk);
    cursor->key = 0;
    cursor->ended = 1;
    if (plan == 0)
        return SQLITE_OK;
    int rc = start(cursor, sqlite3_value_int64(argv[0]));
    if (rc == ROWTIDE_OK && !cursor->ended && !is_shown(cursor))
        return next_clock(base);
    return rowtide__vtab_end_call(base->pVtab, rc);
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    return ((clock_cursor *)base)->ended;
}

static int result_pk(clock_cursor *cursor, sqlite3_context *context)
{
    rowtide_buffer packed = ROWTIDE_BUFFER_INIT;
    rowtide__key key;
    int rc = rowtide__key_of_row(engine_of(&cursor->base), cursor->table,
                                 cursor->walk.first + cursor->nth, &packed,
                                 &key);
    if (rc == ROWTIDE_OK)
        sqlite3_result_blob64(context, packed.data, packed.size,
                              SQLITE_TRANSIENT);
    rowtide_buffer_dispose(&packed);
    return rc;
}

static void result_name(clock_cursor *cursor, sqlite3_context *context,
                        int column)
{
    int place = rowtide__crdt_column_by_id(cursor->table, column);
    if (column == ROWTIDE__SENTINEL)
        sqlite3_result_text(context, "-1", -1, SQLITE_STATIC);
    else if (place >= 0)
        sqlite3_result_text(context, cursor->table->columns[place].name, -1,
                            SQLITE_TRANSIENT);
}

static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                       int column)
{
    clock_cursor *cursor = (clock_cursor *)base;
    const rowtide__group *group = &cursor->walk.clock.groups[cursor->group];
    if (column == PK)
        return rowtide__vtab_end_call(base->pVtab, result_pk(cursor, context));
    if (column == COL_NAME)
        result_name(cursor, context, group->column + cursor->offset);
    else if (column == KEY)
        sqlite3_result_int64(context, cursor->key);
    else if (column == COL_VERSION)
        sqlite3_result_int64(context, group->version);
    else if (column == DB_VERSION)
        sqlite3_result_int64(context,
                             group->db_version + cursor->nth * group->leap);
    else if (column == SITE_ID)
        sqlite3_result_int64(context, group->site);
    else if (column == SEQ)
        sqlite3_result_int64(context, group->sequence + cursor->offset
                                          + cursor->nth * group->stride);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((clock_cursor *)base)->key;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect_clock,
    .xBestIndex = plan_clock,
    .xDisconnect = rowtide__vtab_disconnect,
    .xOpen = open_clock,
    .xClose = close_clock,
    .xFilter = filter_clock,
    .xNext = next_clock,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

/* rowtide_crdt_part(packed, n): the nth value, from 0. */
static void part(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    rowtide__unpack unpack;
    rowtide_value value = rowtide_value_null();
    int wanted = sqlite3_value_int(argv[1]);
    (void)argc;
    int rc = rowtide__unpack_open(&unpack, sqlite3_value_blob(argv[0]),
                                  (size_t)sqlite3_value_bytes(argv[0]));
    for (int i = 0; i <= wanted && rc == ROWTIDE_OK; i++)
        rc = rowtide__unpack_next(&unpack, &value);
    if (rc == ROWTIDE_OK)
        rowtide__crdt_result(context, &value);
}

static int create_pks(rowtide__crdt *engine, const rowtide__crdt_table *table)
{
    rowtide_buffer parts = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&parts, ROWTIDE_OK};
    for (int i = 0; i < table->key_count; i++) {
        char *text = sqlite3_mprintf(", rowtide_crdt_part(pk, %d) AS \"%w\"", i,
                                     table->keys[i]);
        if (text)
            rowtide__write_text(&writer, text);
        else
            writer.rc = rowtide__nomem();
        sqlite3_free(text);
    }
    int rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine,
                                "CREATE VIEW main.\"%w__crsql_pks\" AS SELECT "
                                "key AS __crsql_key%s FROM "
                                "rowtide_crdt_clock(%lld) GROUP BY key",
                                table->name, parts.data, (long long)table->id);
    rowtide_buffer_dispose(&parts);
    return rc;
}

int rowtide__crdt_create_views(rowtide__crdt *engine,
                               const rowtide__crdt_table *table)
{
    int rc = rowtide__crdt_exec(
        engine,
        "CREATE VIEW main.\"%w__crsql_clock\" AS SELECT key, col_name, "
        "col_version, db_version, site_id, seq FROM rowtide_crdt_clock(%lld) "
        "ORDER BY key, col_name",
        table->name, (long long)table->id);
    return rc == ROWTIDE_OK ? create_pks(engine, table) : rc;
}

int rowtide__crdt_drop_views(rowtide__crdt *engine, const char *name)
{
    return rowtide__crdt_exec(engine,
                              "DROP VIEW IF EXISTS main.\"%w__crsql_clock\"; "
                              "DROP VIEW IF EXISTS main.\"%w__crsql_pks\"",
                              name, name);
}

int rowtide__crdt_add_views(rowtide__crdt *engine)
{
    int rc = rowtide__crdt_module(engine, "rowtide_crdt_clock", &MODULE);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_function(
            engine, "rowtide_crdt_part", 2,
            SQLITE_UTF8 | SQLITE_INNOCUOUS | SQLITE_DETERMINISTIC, part);
    return rc;
}
