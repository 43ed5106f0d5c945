#include "changeset/capture.h"
#include "base/error.h"

#include <rowtide/changeset.h>

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Some versions of SQLite record tables of these kinds wrongly, or not at
 * all. Whether the loaded one does is tried out, once for each kind. */
enum { FAULT_GENERATED, FAULT_REAL_KEY, FAULT_COLLATION };

typedef struct fault_trial {
    const char *schema;
    const char *before; /* what is there when the recording begins */
    const char *work;
    int64_t changes; /* that a right recording has */
} fault_trial;

static const fault_trial TRIALS[] = {
    [FAULT_GENERATED] = {"CREATE TABLE t(a INTEGER PRIMARY KEY, b,"
                         " c AS (b || 'c'), d)",
                         "", "INSERT INTO t VALUES(1, 'b', 'd')", 1},
    [FAULT_REAL_KEY] = {"CREATE TABLE t(a REAL PRIMARY KEY, b)", "",
                        "INSERT INTO t VALUES(1, 'x');"
                        "UPDATE t SET b = 'y';"
                        "INSERT INTO t VALUES(2, 'x');"
                        "DELETE FROM t WHERE a = 2",
                        1},
    [FAULT_COLLATION] = {"CREATE TABLE t(a TEXT PRIMARY KEY COLLATE NOCASE)",
                         "INSERT INTO t VALUES('abc')",
                         "UPDATE t SET a = 'ABC'", 2},
};

enum { UNKNOWN = 0, SOUND = 1, FAULTY = 2 };

/* SQLite's code. `*changes` is -1 if what was recorded makes no sense. */
static int record(sqlite3 *sqlite, const fault_trial *trial, int64_t *changes)
{
    sqlite3_session *session = NULL;
    rowtide_changeset *changeset = NULL;
    void *data = NULL;
    int size = 0;
    int rc = sqlite3_exec(sqlite, trial->schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(sqlite, trial->before, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3session_create(sqlite, "main", &session);
    if (rc == SQLITE_OK)
        rc = sqlite3session_attach(session, "t");
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(sqlite, trial->work, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3session_changeset(session, &size, &data);
    if (rc == SQLITE_OK) {
        int parsed = rowtide_changeset_parse(data, (size_t)size, &changeset);
        if (parsed == ROWTIDE_ENOMEM)
            rc = SQLITE_NOMEM;
        *changes = parsed == ROWTIDE_OK
                       ? rowtide_changeset_change_count(changeset)
                       : -1;
    }
    rowtide_changeset_free(changeset);
    sqlite3_free(data);
    sqlite3session_delete(session);
    return rc;
}

static int try_out(int fault, int *verdict)
{
    rowtide__error_state error;
    sqlite3 *sqlite = NULL;
    int64_t changes = -1;
    rowtide__error_save(&error);
    int rc = sqlite3_open(":memory:", &sqlite);
    if (rc == SQLITE_OK)
        rc = record(sqlite, &TRIALS[fault], &changes);
    sqlite3_close(sqlite);
    rowtide__error_restore(&error);
    if (rc == SQLITE_NOMEM)
        return rowtide__nomem();
    *verdict = rc == SQLITE_OK && changes == TRIALS[fault].changes ? SOUND
                                                                   : FAULTY;
    return ROWTIDE_OK;
}

/* Threads that come at once find the same. */
static int is_faulty(int fault, int *faulty)
{
    static atomic_int verdicts[sizeof TRIALS / sizeof *TRIALS];
    int verdict = atomic_load(&verdicts[fault]);
    if (verdict == UNKNOWN) {
        int rc = try_out(fault, &verdict);
        if (rc != ROWTIDE_OK)
            return rc;
        atomic_store(&verdicts[fault], verdict);
    }
    *faulty = verdict == FAULTY;
    return ROWTIDE_OK;
}

static int contains(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (; *text; text++)
        if (sqlite3_strnicmp(text, word, (int)length) == 0)
            return 1;
    return 0;
}

/* SQLite's rules of type affinity. */
static int has_real_affinity(const char *type)
{
    return !contains(type, "INT") && !contains(type, "CHAR")
           && !contains(type, "CLOB") && !contains(type, "TEXT")
           && !contains(type, "BLOB")
           && (contains(type, "REAL") || contains(type, "FLOA")
               || contains(type, "DOUB"));
}

static int judge_column(const rowtide__column *column, const char **reason)
{
    int faulty = 0, rc = ROWTIDE_OK;
    if (column->generated) {
        rc = is_faulty(FAULT_GENERATED, &faulty);
        if (faulty)
            *reason = "has a generated column, which the SQLite library that "
                      "is loaded cannot record";
    } else if (column->primary_key
               && has_real_affinity(column->declared_type)) {
        rc = is_faulty(FAULT_REAL_KEY, &faulty);
        if (faulty)
            *reason = "has a primary key of type REAL, which the SQLite "
                      "library that is loaded records wrongly";
    } else if (column->primary_key
               && sqlite3_stricmp(column->collation, "BINARY") != 0) {
        rc = is_faulty(FAULT_COLLATION, &faulty);
        if (faulty)
            *reason = "has a primary key whose collation is not BINARY, which "
                      "the SQLite library that is loaded records wrongly";
    }
    return rc;
}

int rowtide__capture_judge(const rowtide__table_info *info, const char **reason)
{
    int rc = ROWTIDE_OK;
    *reason = rowtide__table_kind_fault(info->kind);
    if (!*reason && !info->name[0])
        *reason = "has no name"; /* as in CREATE TABLE "" */
    if (!*reason && !info->key_count)
        *reason = "has no primary key";
    for (int i = 0; rc == ROWTIDE_OK && !*reason && i < info->column_count; i++)
        rc = judge_column(&info->columns[i], reason);
    return rc;
}

const char *rowtide__capture_judge_name(const char *name)
{
    if (sqlite3_strnicmp(name, "sqlite_", 7) == 0)
        return "belongs to SQLite";
    if (sqlite3_strnicmp(name, "rowtide_", 8) == 0)
        return "belongs to Rowtide";
    return NULL;
}
