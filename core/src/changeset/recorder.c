#include "changeset/recorder.h"

#include "base/error.h"

#include <string.h>

static int check_options(const rowtide_capture_options *options)
{
    if (options && options->schema && sqlite3_stricmp(options->schema, "main"))
        return rowtide__fail(ROWTIDE_EINVAL,
                             "schema \"%s\" cannot be recorded, only main",
                             options->schema);
    return ROWTIDE_OK;
}

/* The connection is about to close. An adopted one lives on with its owner,
 * who must not find himself inside a transaction that he did not begin. */
static void connection_closed(rowtide__db_child *child)
{
    rowtide__recorder *recorder = (rowtide__recorder *)child;
    recorder->open = 0;
    rowtide__transaction_check(&recorder->transaction);
    rowtide__transaction_rollback(&recorder->transaction);
}

static void forget_capture(rowtide__recorder *recorder)
{
    rowtide_capture_free(recorder->capture);
    recorder->capture = NULL;
}

static void stop_recording(rowtide__recorder *recorder)
{
    rowtide__db_detach_child(recorder->db, &recorder->child);
    recorder->open = 0;
}

static int check_open(rowtide__recorder *recorder)
{
    if (!recorder->open)
        return rowtide__fail(ROWTIDE_EMISUSE, "%s: nothing was begun",
                             recorder->name);
    return ROWTIDE_OK;
}

static int add_context(const rowtide__recorder *recorder, int rc)
{
    return rc < 0 ? rowtide__fail_context("%s", recorder->name) : rc;
}

/* The guard tells whether a transaction that is open at the end is still the
 * one from the beginning. Its statement must not keep the owner of an adopted
 * connection from closing it. */
static int begin_guarded(rowtide__transaction *transaction, rowtide_db *db)
{
    int rc = rowtide__transaction_begin(db, transaction);
    if (rc)
        return rc;
    rc = rowtide__transaction_guard(transaction);
    if (rc)
        rowtide__transaction_rollback(transaction);
    sqlite3_finalize(transaction->set_guard);
    transaction->set_guard = NULL;
    return rc;
}

/* Storing is an INSERT, which the caller's last_insert_rowid() need not see. */
static int store_quietly(rowtide_db *db, rowtide_changeset *changeset,
                         rowtide__recorder_store store, void *user)
{
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(sqlite);
    int rc = ROWTIDE_OK;
    if (rowtide_changeset_size(changeset) > 0)
        rc = store(changeset, user);
    sqlite3_set_last_insert_rowid(sqlite, rowid);
    return rc;
}

static int end_transaction(rowtide__transaction *transaction, int rc)
{
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(transaction);
    rowtide__transaction_rollback(transaction);
    return rc;
}

void rowtide__recorder_init(rowtide__recorder *recorder, rowtide_db *db,
                            const char *name)
{
    memset(recorder, 0, sizeof *recorder);
    recorder->child.closed = connection_closed;
    recorder->db = db;
    recorder->name = name;
}

int rowtide__recorder_begin(rowtide__recorder *recorder,
                            const rowtide_capture_options *options)
{
    if (recorder->open)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "%s: a recording was already begun",
                             recorder->name);
    int rc = check_options(options);
    if (rc == ROWTIDE_OK)
        rc = begin_guarded(&recorder->transaction, recorder->db);
    if (rc)
        return add_context(recorder, rc);
    rc = rowtide_capture_begin(recorder->db, options, &recorder->capture);
    if (rc) {
        rowtide__transaction_rollback(&recorder->transaction);
        return add_context(recorder, rc);
    }
    rowtide__db_attach_child(recorder->db, &recorder->child);
    recorder->open = 1;
    return ROWTIDE_OK;
}

int rowtide__recorder_commit(rowtide__recorder *recorder,
                             rowtide__recorder_store store, void *user)
{
    rowtide_changeset *changeset = NULL;
    int rc = check_open(recorder);
    if (rc)
        return rc;
    stop_recording(recorder);
    rc = rowtide__transaction_check(&recorder->transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_end(recorder->capture, &changeset);
    if (rc == ROWTIDE_OK)
        rc = store_quietly(recorder->db, changeset, store, user);
    rc = add_context(recorder, end_transaction(&recorder->transaction, rc));
    forget_capture(recorder);
    rowtide_changeset_free(changeset);
    return rc;
}

int rowtide__recorder_rollback(rowtide__recorder *recorder)
{
    int rc = check_open(recorder);
    if (rc)
        return rc;
    stop_recording(recorder);
    rc = rowtide__transaction_check(&recorder->transaction);
    rc = add_context(recorder, rc);
    rowtide__transaction_rollback(&recorder->transaction);
    forget_capture(recorder);
    return rc;
}

void rowtide__recorder_dispose(rowtide__recorder *recorder)
{
    rowtide__error_state state;
    rowtide__error_save(&state);
    if (recorder->open
        && rowtide__db_enter(recorder->db, recorder->name) == ROWTIDE_OK) {
        rowtide__recorder_rollback(recorder);
        rowtide__db_leave(recorder->db);
    }
    forget_capture(recorder);
    rowtide__error_restore(&state);
}

int rowtide__recorder_append(rowtide_db *db, rowtide_changeset *changeset,
                             rowtide__recorder_store store, void *user)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(db, &transaction);
    if (rc)
        return rc;
    return end_transaction(&transaction,
                           store_quietly(db, changeset, store, user));
}
