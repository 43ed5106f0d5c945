#include "schema/scratch.h"
#include "schema/read.h"
#include "base/error.h"

#include <limits.h>

enum {
    TICK = 1000, /* steps of the virtual machine between two looks */
    LEAST_STEPS = 5 * 1000 * 1000,
    STEPS_PER_BYTE = 200,
    LONGEST_VALUE = 100 * 1000,
    MOST_SUPPLIES = 1000
};
static const int64_t MOST_MEMORY = (int64_t)512 * 1024 * 1024;

static const char SQL_SETTINGS[] =
    "PRAGMA temp_store=MEMORY; PRAGMA max_page_count=65536;"
    "PRAGMA temp.max_page_count=65536; PRAGMA foreign_keys=OFF;"
    "PRAGMA legacy_alter_table=OFF";

static const char SQL_INSERT[] =
    "INSERT INTO sqlite_schema(type, name, tbl_name, rootpage, sql)"
    "VALUES('table', ?1, ?1, 0, ?2)";

static int watch(void *user)
{
    rowtide__scratch *scratch = user;
    scratch->steps_left -= TICK;
    return scratch->steps_left < 0
           || sqlite3_memory_used() - scratch->memory_at_start > MOST_MEMORY;
}

static int judge_function(const rowtide__scratch *scratch, const char *name)
{
    static const char *const REFUSED[] = {
        "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"};
    /* Newer versions ask for DEFAULT CURRENT_TIME too. */
    if (scratch->selecting)
        return name && sqlite3_strnicmp(name, "current_", 8) == 0
                   ? SQLITE_OK
                   : SQLITE_IGNORE;
    for (size_t i = 0; name && i < sizeof REFUSED / sizeof *REFUSED; i++)
        if (sqlite3_stricmp(REFUSED[i], name) == 0)
            return SQLITE_DENY;
    return SQLITE_OK;
}

/* Only known modules run. In place of another one the stub of that name does,
 * which is made when the statement has failed. */
static int judge_module(rowtide__scratch *scratch, const char *module)
{
    if (rowtide__scratch_trusts(module)
        || (scratch->stubbed && sqlite3_stricmp(scratch->stubbed, module) == 0))
        return SQLITE_OK;
    sqlite3_free(scratch->wanted);
    scratch->wanted = sqlite3_mprintf("%s", module);
    scratch->no_memory = !scratch->wanted;
    return SQLITE_DENY;
}

static int authorize(void *user, int action, const char *first,
                     const char *second, const char *schema,
                     const char *trigger)
{
    rowtide__scratch *scratch = user;
    (void)first, (void)schema, (void)trigger;
    switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
        return SQLITE_DENY;
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_TEMP_TABLE:
        scratch->selecting = scratch->preparing;
        return SQLITE_OK;
    case SQLITE_CREATE_VTABLE:
        return judge_module(scratch, second);
    case SQLITE_FUNCTION:
        return judge_function(scratch, second);
    default:
        return SQLITE_OK;
    }
}

static void limit(rowtide__scratch *scratch, size_t text_size)
{
    size_t most = INT_MAX / 2;
    int size = (int)(text_size < most ? text_size : most);
    scratch->steps_left = LEAST_STEPS + (int64_t)STEPS_PER_BYTE * size;
    scratch->memory_at_start = sqlite3_memory_used();
    sqlite3_limit(scratch->sqlite, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(scratch->sqlite, SQLITE_LIMIT_LENGTH, LONGEST_VALUE + size);
    sqlite3_progress_handler(scratch->sqlite, TICK, watch, scratch);
    sqlite3_set_authorizer(scratch->sqlite, authorize, scratch);
}

int rowtide__scratch_open(rowtide__scratch *scratch, size_t text_size)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
                | SQLITE_OPEN_EXRESCODE;
    *scratch = (rowtide__scratch){0};
    int rc = sqlite3_open_v2(":memory:", &scratch->sqlite, flags, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(scratch->sqlite, SQL_SETTINGS, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = rowtide__scratch_stub_collations(scratch);
    if (rc != SQLITE_OK) {
        rc = scratch->sqlite
                 ? rowtide__sqlite_fail(scratch->sqlite, rc, "scratch database")
                 : rowtide__nomem();
        rowtide__scratch_close(scratch);
        return rc;
    }
    /* Many a schema has strings in double quotes. */
    sqlite3_db_config(scratch->sqlite, SQLITE_DBCONFIG_DQS_DDL, 1, NULL);
    sqlite3_db_config(scratch->sqlite, SQLITE_DBCONFIG_DQS_DML, 1, NULL);
    limit(scratch, text_size);
    return ROWTIDE_OK;
}

void rowtide__scratch_close(rowtide__scratch *scratch)
{
    sqlite3_close(scratch->sqlite);
    sqlite3_free(scratch->wanted);
    sqlite3_free(scratch->stubbed);
    *scratch = (rowtide__scratch){0};
}

static int try_once(rowtide__scratch *scratch, const char *sql, size_t size)
{
    sqlite3_stmt *stmt = NULL;
    scratch->preparing = 1;
    int rc = sqlite3_prepare_v2(scratch->sqlite, sql, (int)size, &stmt, NULL);
    scratch->preparing = scratch->selecting = 0;
    if (rc != SQLITE_OK)
        return rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        ;
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fail(rowtide__scratch *scratch, int sqlite_rc)
{
    if (scratch->no_memory)
        return rowtide__nomem();
    if ((sqlite_rc & 0xff) == SQLITE_INTERRUPT)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "the statement takes too long or too much memory");
    return rowtide__sqlite_fail(scratch->sqlite, sqlite_rc, "");
}

/* 1 if it is worth to try again. */
static int supply(rowtide__scratch *scratch, int sqlite_rc)
{
    if (sqlite_rc == SQLITE_ERROR)
        return rowtide__scratch_supply(scratch->sqlite);
    if (sqlite_rc != SQLITE_AUTH || !scratch->wanted)
        return 0;
    sqlite3_free(scratch->stubbed);
    scratch->stubbed = scratch->wanted;
    scratch->wanted = NULL;
    int rc = rowtide__scratch_stub_module(scratch->sqlite, scratch->stubbed);
    return rc == SQLITE_OK ? 1 : rowtide__sqlite_fail(scratch->sqlite, rc, "");
}

int rowtide__scratch_run(rowtide__scratch *scratch, const char *sql,
                         size_t size)
{
    if (size > INT_MAX)
        return rowtide__fail(ROWTIDE_ETOOBIG, "the statement is too long");
    for (int i = 0; i < MOST_SUPPLIES; i++) {
        int sqlite_rc = try_once(scratch, sql, size);
        if (sqlite_rc == SQLITE_OK)
            return ROWTIDE_OK;
        int rc = supply(scratch, sqlite_rc);
        if (rc <= 0)
            return rc < 0 ? rc : fail(scratch, sqlite_rc);
    }
    return fail(scratch, SQLITE_ERROR);
}

static int insert_row(rowtide__scratch *scratch, const char *name,
                      const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(scratch->sqlite, SQL_INSERT, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(stmt, 2, sql, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        sqlite3_step(stmt);
    int end = sqlite3_finalize(stmt);
    return rc == SQLITE_OK ? end : rc;
}

int rowtide__scratch_insert(rowtide__scratch *scratch, const char *name,
                            const char *sql)
{
    sqlite3 *sqlite = scratch->sqlite;
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
    int rc = insert_row(scratch, name, sql);
    int reset = sqlite3_exec(sqlite, "PRAGMA writable_schema=RESET", NULL, NULL,
                             NULL);
    rc = rc == SQLITE_OK ? reset : rc;
    return rc == SQLITE_OK ? ROWTIDE_OK : rowtide__sqlite_fail(sqlite, rc, "");
}
