#include "base/error.h"
#include "crdt/engine.h"

#include <string.h>

/* CREATE VIRTUAL TABLE t_schema USING clset(...) makes a table t that takes
 * part; dropping t_schema drops it. The virtual table itself is empty. */

typedef struct set {
    sqlite3_vtab base;
    rowtide__crdt *engine;
    char *schema;
    char *table;
} set;

static const char SUFFIX[] = "_schema";

static int set_error(char **out, int status)
{
    if (status == ROWTIDE_ENOMEM)
        return SQLITE_NOMEM;
    sqlite3_free(*out);
    *out = sqlite3_mprintf("%s", rowtide_error_message());
    return *out ? SQLITE_ERROR : SQLITE_NOMEM;
}

static int check_name(const char *name, char **error)
{
    size_t size = strlen(name), suffix = sizeof SUFFIX - 1;
    if (size >= suffix && strcmp(name + size - suffix, SUFFIX) == 0)
        return SQLITE_OK;
    *error = sqlite3_mprintf(
        "%s MUST end with _schema. E.g., %s_schema. Two tables will be "
        "created: %s_schema for managing the CRDT schemas and %s for storing "
        "the data.",
        name, name, name, name);
    return *error ? SQLITE_ERROR : SQLITE_NOMEM;
}

static int disconnect(sqlite3_vtab *base)
{
    set *it = (set *)base;
    sqlite3_free(it->schema);
    sqlite3_free(it->table);
    sqlite3_free(it);
    return SQLITE_OK;
}

static int make(sqlite3 *sqlite, void *engine, const char *const *arguments,
                set **out)
{
    int size = (int)(strlen(arguments[2]) - (sizeof SUFFIX - 1));
    set *it = sqlite3_malloc(sizeof *it);
    *out = NULL;
    if (!it)
        return SQLITE_NOMEM;
    memset(it, 0, sizeof *it);
    it->engine = engine;
    it->schema = sqlite3_mprintf("%s", arguments[1]);
    it->table = sqlite3_mprintf("%.*s", size, arguments[2]);
    int rc = it->schema && it->table ? SQLITE_OK : SQLITE_NOMEM;
    if (rc == SQLITE_OK)
        rc = sqlite3_declare_vtab(
            sqlite, "CREATE TABLE x(alteration TEXT HIDDEN, schema TEXT "
                    "HIDDEN)");
    if (rc == SQLITE_OK)
        *out = it;
    else
        disconnect(&it->base);
    return rc;
}

static int connect(sqlite3 *sqlite, void *engine, int count,
                   const char *const *arguments, sqlite3_vtab **out,
                   char **error)
{
    set *it;
    (void)count;
    int rc = check_name(arguments[2], error);
    if (rc == SQLITE_OK)
        rc = make(sqlite, engine, arguments, &it);
    if (rc == SQLITE_OK)
        *out = &it->base;
    return rc;
}

static int create_table(const set *it, int count, const char *const *arguments)
{
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql, "CREATE TABLE \"%w\".\"%w\"(", it->schema,
                        it->table);
    for (int i = 3; i < count; i++)
        sqlite3_str_appendf(sql, "%s%s", i > 3 ? ", " : "", arguments[i]);
    sqlite3_str_appendall(sql, ")");
    char *text = sqlite3_str_finish(sql);
    int rc = text ? rowtide__crdt_exec(it->engine, "%s", text)
                  : rowtide__nomem();
    sqlite3_free(text);
    return rc;
}

static int drop_table(const set *it)
{
    return rowtide__crdt_exec(it->engine, "DROP TABLE IF EXISTS \"%w\".\"%w\"",
                              it->schema, it->table);
}

/* A failing CREATE VIRTUAL TABLE does not take back what it ran itself. */
static int create_all(const set *it, int count, const char *const *arguments)
{
    rowtide__error_state error;
    int rc = create_table(it, count, arguments);
    if (rc != ROWTIDE_OK)
        return rc;
    it->engine->unguarded = 1;
    rc = rowtide__crdt_enable(it->engine, it->table);
    if (rc != ROWTIDE_OK) {
        rowtide__error_save(&error);
        rowtide__crdt_disable(it->engine, it->table);
        drop_table(it);
        rowtide__error_restore(&error);
    }
    it->engine->unguarded = 0;
    return rc;
}

static int create(sqlite3 *sqlite, void *engine, int count,
                  const char *const *arguments, sqlite3_vtab **out,
                  char **error)
{
    set *it;
    int rc = check_name(arguments[2], error);
    if (rc == SQLITE_OK && sqlite3_stricmp(arguments[1], "main") != 0)
        rc = set_error(error, rowtide__fail(ROWTIDE_ESCHEMA,
                                            "clset: only tables of \"main\" "
                                            "can take part"));
    if (rc == SQLITE_OK)
        rc = make(sqlite, engine, arguments, &it);
    if (rc != SQLITE_OK)
        return rc;
    int status = create_all(it, count, arguments);
    if (status != ROWTIDE_OK) {
        disconnect(&it->base);
        return set_error(error, status);
    }
    *out = &it->base;
    return SQLITE_OK;
}

static int destroy(sqlite3_vtab *base)
{
    set *it = (set *)base;
    it->engine->unguarded = 1;
    int status = rowtide__crdt_disable(it->engine, it->table);
    it->engine->unguarded = 0;
    if (status == ROWTIDE_OK)
        status = drop_table(it);
    return status == ROWTIDE_OK ? disconnect(base)
                                : set_error(&base->zErrMsg, status);
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
    (void)base;
    info->estimatedCost = 1;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    (void)base;
    *out = sqlite3_malloc(sizeof **out);
    if (!*out)
        return SQLITE_NOMEM;
    memset(*out, 0, sizeof **out);
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *cursor, int index, const char *name,
                  int count, sqlite3_value **values)
{
    (void)cursor;
    (void)index;
    (void)name;
    (void)count;
    (void)values;
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *cursor)
{
    (void)cursor;
    return 1;
}

static int column(sqlite3_vtab_cursor *cursor, sqlite3_context *context,
                  int number)
{
    (void)cursor;
    (void)number;
    sqlite3_result_null(context);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out)
{
    (void)cursor;
    *out = 0;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xCreate = create,
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xDestroy = destroy,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};

int rowtide__crdt_add_clset(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "clset", &module);
}
