#include <rowtide/audit.h>

#include "base/alloc.h"
#include "base/error.h"
#include "changeset/audit_store.h"
#include "changeset/recorder.h"
#include "changeset/store.h"
#include "db/sql.h"

struct rowtide_audit {
    rowtide__recorder recorder; /* first, for dispose() */
};

typedef struct store_request {
    rowtide_db *db;
    const rowtide_audit_entry *entry;
    int64_t id;
} store_request;

static int store_entry(rowtide_changeset *changeset, void *user)
{
    store_request *request = user;
    return rowtide__audit_store(request->db, changeset, request->entry,
                                &request->id);
}

static int delete_before(rowtide_db *db, const char *before)
{
    char time[32];
    rowtide_value value;
    int rc = rowtide__audit_time(db, before, time);
    if (rc)
        return rc;
    value = rowtide_value_text(time);
    rc = rowtide__store_run(
        db,
        "DELETE FROM main.rowtide_audit_change WHERE entry IN "
        "(SELECT id FROM main.rowtide_audit WHERE time < ?1)",
        &value, 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_run(
            db, "DELETE FROM main.rowtide_audit WHERE time < ?1", &value, 1);
    return rc;
}

static int delete_but(rowtide_db *db, int64_t keep)
{
    rowtide_value value = rowtide_value_integer(keep);
    int rc = rowtide__store_run(
        db,
        "DELETE FROM main.rowtide_audit_change WHERE entry NOT IN "
        "(SELECT id FROM main.rowtide_audit ORDER BY id DESC LIMIT ?1)",
        &value, 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_run(
            db,
            "DELETE FROM main.rowtide_audit WHERE id NOT IN "
            "(SELECT id FROM main.rowtide_audit ORDER BY id DESC LIMIT ?1)",
            &value, 1);
    return rc;
}

static int prune(rowtide_db *db, const char *before, int64_t keep,
                 int64_t *pruned)
{
    rowtide__transaction transaction;
    int rc = rowtide__transaction_begin(db, &transaction);
    if (rc)
        return rc;
    rc = before ? delete_before(db, before) : delete_but(db, keep);
    if (rc == ROWTIDE_OK) {
        *pruned = rowtide_db_changes(db);
        return rowtide__transaction_commit(&transaction);
    }
    rowtide__transaction_rollback(&transaction);
    return rc;
}

static void dispose(rowtide__db_child *child)
{
    rowtide_audit *audit = (rowtide_audit *)child;
    rowtide_db *db = audit->recorder.db;
    rowtide__recorder_dispose(&audit->recorder);
    rowtide__free(audit);
    rowtide__db_release(db);
}

int rowtide_audit_open(rowtide_db *db, rowtide_audit **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "audit_open");
    *out = NULL;
    int rc = rowtide__db_enter(db, "audit_open");
    if (rc)
        return rc;
    rc = rowtide__audit_ensure(db);
    rowtide_audit *audit = NULL;
    if (rc == ROWTIDE_OK && !(audit = rowtide__alloc_zero(sizeof *audit)))
        rc = ROWTIDE_ENOMEM;
    if (audit) {
        rowtide__recorder_init(&audit->recorder, rowtide__db_retain(db),
                               "audit log");
        *out = audit;
    }
    rowtide__db_leave(db);
    return rc;
}

int rowtide_audit_begin(rowtide_audit *audit,
                        const rowtide_capture_options *options)
{
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_begin");
    int rc = rowtide__db_enter(audit->recorder.db, "audit_begin");
    if (rc)
        return rc;
    rc = rowtide__recorder_begin(&audit->recorder, options);
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

int rowtide_audit_commit(rowtide_audit *audit, const rowtide_audit_entry *entry,
                         int64_t *id)
{
    if (id)
        *id = 0;
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_commit");
    store_request request = {audit->recorder.db, entry, 0};
    int rc = rowtide__db_enter(audit->recorder.db, "audit_commit");
    if (rc)
        return rc;
    rc = rowtide__recorder_commit(&audit->recorder, store_entry, &request);
    if (rc == ROWTIDE_OK && id)
        *id = request.id;
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

int rowtide_audit_rollback(rowtide_audit *audit)
{
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_rollback");
    int rc = rowtide__db_enter(audit->recorder.db, "audit_rollback");
    if (rc)
        return rc;
    rc = rowtide__recorder_rollback(&audit->recorder);
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

int rowtide_audit_append(rowtide_audit *audit, rowtide_changeset *changeset,
                         const rowtide_audit_entry *entry, int64_t *id)
{
    if (id)
        *id = 0;
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_append");
    ROWTIDE__CHECK_ARG(changeset != NULL, "audit_append");
    store_request request = {audit->recorder.db, entry, 0};
    int rc = rowtide__db_enter(audit->recorder.db, "audit_append");
    if (rc)
        return rc;
    rc = rowtide__recorder_append(audit->recorder.db, changeset, store_entry,
                                  &request);
    if (rc == ROWTIDE_OK && id)
        *id = request.id;
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

int rowtide_audit_changeset(rowtide_audit *audit, int64_t id,
                            rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "audit_changeset");
    *out = NULL;
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_changeset");
    int rc = rowtide__db_enter(audit->recorder.db, "audit_changeset");
    if (rc)
        return rc;
    rc = rowtide__store_changeset(
        audit->recorder.db,
        "SELECT changeset FROM main.rowtide_audit WHERE id = ?1", id, out);
    if (rc == ROWTIDE_DONE)
        rc = rowtide__fail(ROWTIDE_ENOTFOUND, "audit log: no entry %lld",
                           (long long)id);
    else if (rc)
        rc = rowtide__fail_context("audit entry %lld", (long long)id);
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

int rowtide_audit_prune(rowtide_audit *audit, const char *before, int64_t keep,
                        int64_t *pruned)
{
    int64_t count = 0;
    if (pruned)
        *pruned = 0;
    ROWTIDE__CHECK_ARG(audit != NULL, "audit_prune");
    ROWTIDE__CHECK_ARG(keep >= 0, "audit_prune");
    int rc = rowtide__db_enter(audit->recorder.db, "audit_prune");
    if (rc)
        return rc;
    rc = prune(audit->recorder.db, before, keep, &count);
    if (rc == ROWTIDE_OK && pruned)
        *pruned = count;
    rowtide__db_leave(audit->recorder.db);
    return rc;
}

void rowtide_audit_free(rowtide_audit *audit)
{
    if (audit)
        rowtide__db_discard(audit->recorder.db, &audit->recorder.child,
                            dispose);
}
