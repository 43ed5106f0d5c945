#include "crdt/engine.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

/* ## Letting go */

static void finalize_columns(rowtide__crdt_table *table)
{
    for (int i = 0; i < table->column_count; i++) {
        sqlite3_finalize(table->columns[i].upsert);
        sqlite3_finalize(table->columns[i].update);
        table->columns[i].upsert = table->columns[i].update = NULL;
    }
}

static void finalize_table(rowtide__crdt_table *table)
{
    sqlite3_stmt **all[] = {&table->find,  &table->after, &table->put,
                            &table->get,   &table->scan,  &table->remove,
                            &table->create};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sqlite3_finalize(*all[i]);
        *all[i] = NULL;
    }
    rowtide__sets_free(table->sets);
    table->sets = NULL;
    rowtide__numbers_finalize(table);
    finalize_columns(table);
}

void rowtide__crdt_tables_finalize(rowtide__crdt *engine)
{
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next)
        finalize_table(table);
}

static void drop_shape(rowtide__crdt_table *table)
{
    finalize_table(table);
    rowtide__numbers_free(table);
    for (int i = 0; i < table->key_count; i++)
        rowtide__free(table->keys[i]);
    for (int i = 0; i < table->column_count; i++)
        rowtide__free(table->columns[i].name);
    rowtide__free(table->keys);
    rowtide__free(table->columns);
    table->keys = NULL;
    table->columns = NULL;
    table->key_count = table->column_count = table->max_column = 0;
    table->shaped = table->stale = table->keys_changed = 0;
    table->rowid = NULL;
    table->guard_schema = 0;
}

static void free_table(rowtide__crdt_table *table)
{
    drop_shape(table);
    rowtide__clock_dispose(&table->run);
    rowtide__free(table->name);
    rowtide__free(table->registered);
    rowtide__free(table);
}

void rowtide__crdt_tables_free(rowtide__crdt *engine)
{
    while (engine->tables) {
        rowtide__crdt_table *table = engine->tables;
        engine->tables = table->next;
        free_table(table);
    }
    engine->last = NULL;
    engine->loaded = 0;
}

/* Pending entries point at tables, so these stay where they are. */
void rowtide__crdt_tables_forget(rowtide__crdt *engine)
{
    engine->loaded = 0;
    engine->last = NULL;
    engine->generation++;
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next)
        drop_shape(table);
}

/* Statements may be running, so nothing is finalized yet. */
void rowtide__crdt_tables_doubt(rowtide__crdt *engine)
{
    engine->loaded = 0;
    engine->last = NULL;
    engine->generation++;
    engine->outdated = 1;
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next)
        table->shaped = 0;
}

void rowtide__crdt_tables_uncache(rowtide__crdt *engine)
{
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next) {
        table->run_rows = 0;
        table->lookups = table->bounded = 0;
    }
}

/* ## Which tables */

rowtide__crdt_table *rowtide__crdt_table_known(const rowtide__crdt *engine,
                                               int64_t id)
{
    rowtide__crdt_table *table = engine->tables;
    while (table && table->id != id)
        table = table->next;
    return table;
}

static int replace_text(char **text, const void *replacement)
{
    char *copy = replacement ? rowtide__strdup(replacement) : NULL;
    if (!copy)
        return replacement ? ROWTIDE_ENOMEM : rowtide__nomem();
    rowtide__free(*text);
    *text = copy;
    return ROWTIDE_OK;
}

static int note_registered(rowtide__crdt *engine, int64_t id, const void *name)
{
    rowtide__crdt_table *table = rowtide__crdt_table_known(engine, id);
    rowtide__crdt_table **end = &engine->tables;
    if (!table) {
        table = rowtide__alloc_zero(sizeof *table);
        if (!table)
            return ROWTIDE_ENOMEM;
        table->id = id;
        while (*end)
            end = &(*end)->next;
        *end = table;
    }
    table->dropped = 1;
    int rc = replace_text(&table->registered, name);
    return rc == ROWTIDE_OK ? replace_text(&table->name, name) : rc;
}

/* A trigger stays with its table when that is renamed. */
static int note_trigger(rowtide__crdt *engine, const char *trigger,
                        const char *name)
{
    static const char SUFFIX[] = "__crsql_itrig";
    size_t size = trigger ? strlen(trigger) : 0;
    if (size < sizeof SUFFIX - 1)
        return ROWTIDE_OK;
    int altering = trigger[size - 5] == 'm';
    size -= sizeof SUFFIX - 1;
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next) {
        if (strlen(table->registered) != size
            || sqlite3_strnicmp(table->registered, trigger, (int)size) != 0)
            continue;
        table->dropped = 0;
        table->altering = altering;
        /* Peers know the table by the name it was enabled with. */
        if (sqlite3_stricmp(table->registered, name) == 0)
            return ROWTIDE_OK;
        return replace_text(&table->name, name);
    }
    return ROWTIDE_OK;
}

static int load_registered(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(engine, &stmt,
                                   "SELECT id, name FROM "
                                   "main.rowtide_crdt_table ORDER BY id");
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK)
        rc = note_registered(engine, sqlite3_column_int64(stmt, 0),
                             sqlite3_column_text(stmt, 1));
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int load_triggers(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT name, tbl_name FROM main.sqlite_master WHERE "
        "type = 'trigger' AND (name LIKE '%%\\_\\_crsql\\_itrig' ESCAPE '\\' "
        "OR "
        "name LIKE '%%\\_\\_crsql\\_mtrig' ESCAPE '\\') ORDER BY substr(name, "
        "-5)");
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK)
        rc = note_trigger(engine, (const char *)sqlite3_column_text(stmt, 0),
                          (const char *)sqlite3_column_text(stmt, 1));
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__crdt_tables_load(rowtide__crdt *engine)
{
    if (engine->loaded)
        return ROWTIDE_OK;
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next) {
        table->dropped = 1;
        if (table->registered)
            table->registered[0] = 0;
    }
    int rc = rowtide__crdt_identify(engine);
    if (rc == ROWTIDE_OK)
        rc = load_registered(engine);
    if (rc == ROWTIDE_OK)
        rc = load_triggers(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &engine->least_version, 0,
                                   "SELECT value FROM main.crsql_master WHERE "
                                   "key = 'pre_compact_dbversion'");
    engine->loaded = rc == ROWTIDE_OK;
    return rc;
}

int rowtide__crdt_table_find(rowtide__crdt *engine, const char *name,
                             rowtide__crdt_table **out)
{
    rowtide__crdt_table *table = engine->last;
    *out = NULL;
    int rc = rowtide__crdt_tables_load(engine);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!table || table->dropped || strcmp(table->name, name) != 0)
        for (table = engine->tables; table; table = table->next)
            if (!table->dropped && sqlite3_stricmp(table->name, name) == 0)
                break;
    if (!table)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "crsql - could not find the schema information "
                             "for table %s",
                             name);
    engine->last = *out = table;
    return rowtide__crdt_table_shape(engine, table);
}

int rowtide__crdt_table_by_id(rowtide__crdt *engine, int64_t id,
                              rowtide__crdt_table **out)
{
    rowtide__crdt_table *table = engine->last;
    *out = NULL;
    int rc = rowtide__crdt_tables_load(engine);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!table || table->id != id)
        table = rowtide__crdt_table_known(engine, id);
    if (!table || table->dropped)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "crsql - table number %lld does not take part",
                             (long long)id);
    engine->last = *out = table;
    return rowtide__crdt_table_shape(engine, table);
}

/* ## What they look like */

static int add_key(rowtide__crdt_table *table, int place, const char *name)
{
    if (place > table->key_count) {
        char **keys = rowtide__realloc(table->keys,
                                       (size_t)place * sizeof *keys);
        if (!keys)
            return ROWTIDE_ENOMEM;
        for (int i = table->key_count; i < place; i++)
            keys[i] = NULL;
        table->keys = keys;
        table->key_count = place;
    }
    table->keys[place - 1] = rowtide__strdup(name);
    return table->keys[place - 1] ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int add_column(rowtide__crdt_table *table, const char *name,
                      int not_null)
{
    size_t count = (size_t)table->column_count;
    rowtide__crdt_column *columns = rowtide__realloc(
        table->columns, (count + 1) * sizeof *columns);
    if (!columns)
        return ROWTIDE_ENOMEM;
    table->columns = columns;
    memset(&columns[count], 0, sizeof *columns);
    columns[count].not_null = not_null;
    columns[count].name = rowtide__strdup(name);
    if (!columns[count].name)
        return ROWTIDE_ENOMEM;
    table->column_count++;
    return ROWTIDE_OK;
}

/* name, pk, hidden */
static int read_actual(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT name, pk, hidden, \"notnull\" FROM pragma_table_xinfo(%Q, "
        "'main')",
        table->name);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        if (!name)
            rc = rowtide__nomem();
        else if (sqlite3_column_int(stmt, 1) > 0)
            rc = add_key(table, sqlite3_column_int(stmt, 1), name);
        else if (sqlite3_column_int(stmt, 2) == 0)
            rc = add_column(table, name, sqlite3_column_int(stmt, 3));
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int read_folding(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    int64_t found;
    int rc = rowtide__crdt_integer(
        engine, &found, 0,
        "SELECT EXISTS(SELECT 1 FROM pragma_index_list(%Q, 'main') AS i, "
        "pragma_index_xinfo(i.name, 'main') AS x WHERE i.origin = 'pk' AND "
        "x.key AND x.coll <> 'BINARY' COLLATE NOCASE) OR EXISTS(SELECT 1 FROM "
        "pragma_table_info(%Q, 'main') WHERE pk > 0 AND "
        "upper(type) IN ('', 'ANY'))",
        table->name, table->name);
    table->folding = found != 0;
    return rc;
}

static int compares_loosely(rowtide__crdt *engine,
                            const rowtide__crdt_table *table,
                            const char *column, int *out)
{
    const char *collation = "";
    if (!column)
        return rowtide__nomem();
    int rc = sqlite3_table_column_metadata(engine->sqlite, "main", table->name,
                                           column, NULL, &collation, NULL, NULL,
                                           NULL);
    if (rc != SQLITE_OK)
        return rowtide__crdt_fail_sql(engine, rc, "table \"%s\"", table->name);
    *out = sqlite3_stricmp(collation, "BINARY") != 0;
    return ROWTIDE_OK;
}

/* A key that compares bytes, of a column that does not. */
static int read_exactness(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT x.name FROM pragma_index_list(%Q, 'main') AS i, "
        "pragma_index_xinfo(i.name, 'main') AS x WHERE i.origin = 'pk' AND "
        "x.key AND x.coll = 'BINARY' COLLATE NOCASE",
        table->name);
    int loosely = 0;
    table->exact = 0;
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        rc = compares_loosely(engine, table,
                              (const char *)sqlite3_column_text(stmt, 0),
                              &loosely);
        table->exact |= loosely;
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* A key without an index of its own is the rowid. */
static int read_kind(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    int64_t indexes, numbered = 0;
    int rc = rowtide__crdt_integer(
        engine, &indexes, 0,
        "SELECT count(*) FROM pragma_index_list(%Q, 'main') WHERE "
        "origin = 'pk'",
        table->name);
    table->integer_key = indexes == 0 && table->key_count == 1;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(
            engine, &numbered, !table->integer_key,
            "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND "
            "name = 'rowtide_crdt_keys_%lld'",
            (long long)table->id);
    table->keys_changed = (numbered == 0) != table->integer_key;
    if (rc == ROWTIDE_OK)
        rc = read_folding(engine, table);
    return rc == ROWTIDE_OK ? read_exactness(engine, table) : rc;
}

/* Columns of the key are registered with negative numbers. */
static void note_key(rowtide__crdt_table *table, int place, const char *name)
{
    if (place > table->key_count
        || sqlite3_stricmp(table->keys[place - 1], name) != 0)
        table->keys_changed = 1;
}

static int note_id(rowtide__crdt_table *table, int id, const char *name)
{
    int place;
    if (id < 0) {
        note_key(table, -id, name ? name : "");
        return ROWTIDE_OK;
    }
    if (id > table->max_column)
        table->max_column = id;
    if (!name)
        return ROWTIDE_OK;
    place = rowtide__crdt_column_find(table, name);
    if (place < 0)
        table->stale = 1;
    else
        table->columns[place].id = id;
    return ROWTIDE_OK;
}

static int read_ids(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    sqlite3_stmt *stmt;
    int keys = 0;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT id, name FROM main.rowtide_crdt_column WHERE table_id = %lld",
        (long long)table->id);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        keys += sqlite3_column_int(stmt, 0) < 0;
        rc = note_id(table, sqlite3_column_int(stmt, 0),
                     (const char *)sqlite3_column_text(stmt, 1));
    }
    sqlite3_finalize(stmt);
    if (keys != table->key_count)
        table->keys_changed = 1;
    if (table->keys_changed)
        table->stale = 1;
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Columns nobody registered are left out until the alteration is committed. */
static void order_columns(rowtide__crdt_table *table)
{
    int kept = 0;
    for (int i = 0; i < table->column_count; i++) {
        if (table->columns[i].id == 0) {
            table->stale = 1;
            rowtide__free(table->columns[i].name);
            continue;
        }
        rowtide__crdt_column column = table->columns[i];
        int place = kept++;
        for (; place > 0 && table->columns[place - 1].id > column.id; place--)
            table->columns[place] = table->columns[place - 1];
        table->columns[place] = column;
    }
    table->column_count = kept;
}

int rowtide__crdt_table_shape(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->shaped)
        return ROWTIDE_OK;
    drop_shape(table);
    int rc = read_actual(engine, table);
    if (rc == ROWTIDE_OK)
        rc = read_kind(engine, table);
    if (rc == ROWTIDE_OK)
        rc = read_ids(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_read_floor(engine, table);
    if (rc != ROWTIDE_OK) {
        drop_shape(table);
        return rc;
    }
    order_columns(table);
    table->shaped = 1;
    return ROWTIDE_OK;
}

int rowtide__crdt_column_find(const rowtide__crdt_table *table,
                              const char *name)
{
    for (int i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    for (int i = 0; i < table->column_count; i++)
        if (sqlite3_stricmp(table->columns[i].name, name) == 0)
            return i;
    return -1;
}

int rowtide__crdt_column_by_id(const rowtide__crdt_table *table, int id)
{
    int low = 0, high = table->column_count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (table->columns[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->column_count && table->columns[low].id == id ? low : -1;
}
