#include <rowtide/undo.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/recorder.h"
#include "changeset/replay.h"
#include "changeset/store.h"
#include "db/sql.h"

#include <string.h>

struct rowtide_undo {
    rowtide__recorder recorder; /* first, for dispose() */
    rowtide_undo_options options;
    int moving;           /* a conflict handler may call us again */
    rowtide_buffer label; /* what the caller may borrow until the next call */
    rowtide_buffer time;
};

/* Ids grow, so steps that can be undone come before those that were: the
 * newest of the ones is next to be undone, the oldest of the others to be
 * done again. */
static const rowtide__store_table tables[] = {
    {"rowtide_undo", "an undo log", "id, time, label, undone, changeset",
     "CREATE TABLE main.rowtide_undo("
     "id INTEGER PRIMARY KEY AUTOINCREMENT, "
     "time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), "
     "label TEXT NOT NULL DEFAULT '', "
     "undone INTEGER NOT NULL DEFAULT 0, "
     "changeset BLOB NOT NULL) STRICT"},
};

typedef struct store_request {
    rowtide_undo *undo;
    const char *label;
    int64_t id;
} store_request;

static int drop_over_step_limit(rowtide_undo *undo)
{
    rowtide_value limit = rowtide_value_integer(undo->options.step_limit);
    if (undo->options.step_limit == 0)
        return ROWTIDE_OK;
    return rowtide__store_run(
        undo->recorder.db,
        "DELETE FROM main.rowtide_undo WHERE id NOT IN "
        "(SELECT id FROM main.rowtide_undo ORDER BY id DESC LIMIT ?1)",
        &limit, 1);
}

/* The newest step stays, however large it is. */
static int drop_over_byte_limit(rowtide_undo *undo)
{
    rowtide_value limit = rowtide_value_integer(undo->options.byte_limit);
    if (undo->options.byte_limit == 0)
        return ROWTIDE_OK;
    return rowtide__store_run(
        undo->recorder.db,
        "DELETE FROM main.rowtide_undo WHERE id IN (SELECT id FROM "
        "(SELECT id, sum(length(changeset)) OVER (ORDER BY id DESC) AS total "
        "FROM main.rowtide_undo) WHERE total > ?1) "
        "AND id < (SELECT max(id) FROM main.rowtide_undo)",
        &limit, 1);
}

static int store_step(rowtide_changeset *changeset, void *user)
{
    store_request *request = user;
    rowtide_db *db = request->undo->recorder.db;
    rowtide_value values[] = {
        rowtide_value_text(request->label ? request->label : ""),
        rowtide_value_blob(rowtide_changeset_data(changeset),
                           rowtide_changeset_size(changeset)),
    };
    int rc = rowtide__store_ensure(db, tables, 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_exec(
            db, "DELETE FROM main.rowtide_undo WHERE undone <> 0");
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_run(
            db,
            "INSERT INTO main.rowtide_undo(label, changeset) VALUES(?1, ?2)",
            values, 2);
    request->id = sqlite3_last_insert_rowid(rowtide_db_sqlite(db));
    if (rc == ROWTIDE_OK)
        rc = drop_over_step_limit(request->undo);
    if (rc == ROWTIDE_OK)
        rc = drop_over_byte_limit(request->undo);
    return rc;
}

static int copy_text(sqlite3_stmt *stmt, int column, rowtide_buffer *out)
{
    rowtide_value value;
    int rc = rowtide__sql_column(stmt, column, &value);
    rowtide__buffer_clear(out);
    return rc ? rc : rowtide__buffer_append(out, value.data, value.size);
}

/* Which step comes next, and its label. ROWTIDE_DONE if there is none. */
static int find_step(rowtide_undo *undo, int redo, int64_t *id)
{
    rowtide_db *db = undo->recorder.db;
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__sql_prepare(
        db, &stmt, "SELECT id, label FROM main.rowtide_undo WHERE %s LIMIT 1",
        redo ? "undone <> 0 ORDER BY id" : "undone = 0 ORDER BY id DESC");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK) {
        *id = sqlite3_column_int64(stmt, 0);
        rc = copy_text(stmt, 1, &undo->label);
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int apply_step(rowtide_undo *undo, int64_t id,
                      const rowtide_apply_options *options)
{
    rowtide_changeset *changeset = NULL;
    int rc = rowtide__store_changeset(
        undo->recorder.db,
        "SELECT changeset FROM main.rowtide_undo WHERE id = ?1", id,
        &changeset);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_apply(undo->recorder.db, changeset, options,
                                     NULL);
    rowtide_changeset_free(changeset);
    return rc;
}

static int mark_step(rowtide_undo *undo, int64_t id, int undone)
{
    rowtide_value values[] = {
        rowtide_value_integer(id),
        rowtide_value_integer(undone),
    };
    return rowtide__store_run(
        undo->recorder.db,
        "UPDATE main.rowtide_undo SET undone = ?2 WHERE id = ?1", values, 2);
}

/* The step is looked up inside the transaction: another process may use the
 * same log. */
static int move_one_step(rowtide_undo *undo, int redo,
                         const rowtide_apply_options *options)
{
    rowtide__transaction transaction;
    int64_t id = 0;
    int rc = rowtide__transaction_begin(undo->recorder.db, &transaction);
    if (rc)
        return rc;
    rc = find_step(undo, redo, &id);
    if (rc == ROWTIDE_OK) {
        rc = apply_step(undo, id, options);
        if (rc == ROWTIDE_OK)
            rc = mark_step(undo, id, !redo);
        if (rc < 0)
            rc = rowtide__fail_context("%s step %lld", redo ? "redo" : "undo",
                                       (long long)id);
    }
    if (rc == ROWTIDE_OK)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

static int move_alone(rowtide_undo *undo, int redo,
                      const rowtide_apply_options *options)
{
    undo->moving = 1;
    int rc = move_one_step(undo, redo, options);
    undo->moving = 0;
    return rc;
}

static int undo_or_redo(rowtide_undo *undo, int redo,
                        const rowtide_apply_options *options,
                        const char **label, const char *function)
{
    rowtide_apply_options chosen;
    if (label)
        *label = NULL;
    ROWTIDE__CHECK_ARG(undo != NULL, function);
    int rc = rowtide__replay_options(options, !redo, function, &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(undo->recorder.db, function);
    if (rc)
        return rc;
    if (undo->recorder.open || undo->moving)
        rc = rowtide__fail(ROWTIDE_EMISUSE,
                           "%s: another step is not finished yet", function);
    else
        rc = move_alone(undo, redo, &chosen);
    if (rc == ROWTIDE_OK && label)
        *label = undo->label.data;
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

static int read_options(const rowtide_undo_options *options,
                        rowtide_undo_options *out)
{
    rowtide_undo_options chosen = ROWTIDE_UNDO_OPTIONS_INIT;
    if (options) {
        ROWTIDE__CHECK_ARG(options->size >= sizeof options->size, "undo_open");
        memcpy(&chosen, options,
               options->size < sizeof chosen ? options->size : sizeof chosen);
    }
    ROWTIDE__CHECK_ARG(chosen.step_limit >= 0, "undo_open");
    ROWTIDE__CHECK_ARG(chosen.byte_limit >= 0, "undo_open");
    *out = chosen;
    return ROWTIDE_OK;
}

/* A patchset has nothing to go back to. */
static int refuse_patchset(const rowtide_capture_options *options)
{
    if (options && (options->flags & ROWTIDE_CAPTURE_PATCHSET))
        return rowtide__fail(ROWTIDE_EINVAL,
                             "undo_begin: a patchset cannot be undone");
    return ROWTIDE_OK;
}

static int read_step(rowtide_undo *undo, sqlite3_stmt *stmt,
                     rowtide_undo_step *out)
{
    int rc = rowtide__sql_step(undo->recorder.db, stmt);
    if (rc == ROWTIDE_OK)
        rc = copy_text(stmt, 1, &undo->label);
    if (rc == ROWTIDE_OK)
        rc = copy_text(stmt, 2, &undo->time);
    if (rc)
        return rc;
    out->id = sqlite3_column_int64(stmt, 0);
    out->label = undo->label.data;
    out->time = undo->time.data;
    out->bytes = sqlite3_column_int64(stmt, 3);
    out->undone = sqlite3_column_int(stmt, 4) != 0;
    return ROWTIDE_OK;
}

static int count_steps(rowtide_db *db, int undone, int64_t *out)
{
    if (!out)
        return ROWTIDE_OK;
    return rowtide__sql_integer(
        db, out, 0,
        "SELECT count(*) FROM main.rowtide_undo WHERE (undone <> 0) = %d",
        undone);
}

static void dispose(rowtide__db_child *child)
{
    rowtide_undo *undo = (rowtide_undo *)child;
    rowtide_db *db = undo->recorder.db;
    rowtide__recorder_dispose(&undo->recorder);
    rowtide_buffer_dispose(&undo->label);
    rowtide_buffer_dispose(&undo->time);
    rowtide__free(undo);
    rowtide__db_release(db);
}

int rowtide_undo_open(rowtide_db *db, const rowtide_undo_options *options,
                      rowtide_undo **out)
{
    rowtide_undo_options chosen;
    ROWTIDE__CHECK_ARG(out != NULL, "undo_open");
    *out = NULL;
    int rc = read_options(options, &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(db, "undo_open");
    if (rc)
        return rc;
    rc = rowtide__store_ensure(db, tables, 1);
    rowtide_undo *undo = NULL;
    if (rc == ROWTIDE_OK && !(undo = rowtide__alloc_zero(sizeof *undo)))
        rc = ROWTIDE_ENOMEM;
    if (undo) {
        rowtide__recorder_init(&undo->recorder, rowtide__db_retain(db),
                               "undo log");
        undo->options = chosen;
        *out = undo;
    }
    rowtide__db_leave(db);
    return rc;
}

int rowtide_undo_begin(rowtide_undo *undo,
                       const rowtide_capture_options *options)
{
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_begin");
    int rc = refuse_patchset(options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(undo->recorder.db, "undo_begin");
    if (rc)
        return rc;
    rc = rowtide__recorder_begin(&undo->recorder, options);
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

int rowtide_undo_commit(rowtide_undo *undo, const char *label, int64_t *id)
{
    if (id)
        *id = 0;
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_commit");
    store_request request = {undo, label, 0};
    int rc = rowtide__db_enter(undo->recorder.db, "undo_commit");
    if (rc)
        return rc;
    rc = rowtide__recorder_commit(&undo->recorder, store_step, &request);
    if (rc == ROWTIDE_OK && id)
        *id = request.id;
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

int rowtide_undo_rollback(rowtide_undo *undo)
{
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_rollback");
    int rc = rowtide__db_enter(undo->recorder.db, "undo_rollback");
    if (rc)
        return rc;
    rc = rowtide__recorder_rollback(&undo->recorder);
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

int rowtide_undo_undo(rowtide_undo *undo, const rowtide_apply_options *options,
                      const char **label)
{
    return undo_or_redo(undo, 0, options, label, "undo_undo");
}

int rowtide_undo_redo(rowtide_undo *undo, const rowtide_apply_options *options,
                      const char **label)
{
    return undo_or_redo(undo, 1, options, label, "undo_redo");
}

int rowtide_undo_counts(rowtide_undo *undo, int64_t *undoable,
                        int64_t *redoable)
{
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_counts");
    int rc = rowtide__db_enter(undo->recorder.db, "undo_counts");
    if (rc)
        return rc;
    rc = count_steps(undo->recorder.db, 0, undoable);
    if (rc == ROWTIDE_OK)
        rc = count_steps(undo->recorder.db, 1, redoable);
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

int rowtide_undo_step_at(rowtide_undo *undo, int64_t index,
                         rowtide_undo_step *out)
{
    sqlite3_stmt *stmt = NULL;
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_step_at");
    ROWTIDE__CHECK_ARG(out != NULL, "undo_step_at");
    ROWTIDE__CHECK_ARG(index >= 0, "undo_step_at");
    int rc = rowtide__db_enter(undo->recorder.db, "undo_step_at");
    if (rc)
        return rc;
    rc = rowtide__sql_prepare(
        undo->recorder.db, &stmt,
        "SELECT id, label, time, length(changeset), undone "
        "FROM main.rowtide_undo ORDER BY id LIMIT 1 OFFSET %lld",
        (long long)index);
    if (rc == ROWTIDE_OK)
        rc = read_step(undo, stmt, out);
    sqlite3_finalize(stmt);
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

int rowtide_undo_clear(rowtide_undo *undo)
{
    ROWTIDE__CHECK_ARG(undo != NULL, "undo_clear");
    int rc = rowtide__db_enter(undo->recorder.db, "undo_clear");
    if (rc)
        return rc;
    rc = rowtide__store_run(undo->recorder.db, "DELETE FROM main.rowtide_undo",
                            NULL, 0);
    rowtide__db_leave(undo->recorder.db);
    return rc;
}

void rowtide_undo_free(rowtide_undo *undo)
{
    if (undo)
        rowtide__db_discard(undo->recorder.db, &undo->recorder.child, dispose);
}
