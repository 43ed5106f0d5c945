#include "crdt/api.h"
#include "crdt/merge.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

/* ## The transaction */

int rowtide__merging_begin(rowtide_db *db, rowtide__merging *out)
{
    memset(out, 0, sizeof *out);
    out->db = db;
    int rc = rowtide__crdt_of(db, &out->engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_report_new(&out->report);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_begin(db, &out->transaction);
    /* Another connection may have written before the lock was ours. */
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_refresh(out->engine);
    if (rc != ROWTIDE_OK)
        rowtide__merging_dispose(out);
    return rc;
}

static int fail_change(const char *what)
{
    return rowtide__fail(ROWTIDE_EINVAL, "crdt_merge: the change has %s", what);
}

static int check_change(const rowtide_crdt_change *change)
{
    const rowtide_value *value = &change->value;
    if (!change->table || !change->column)
        return fail_change("no table or no column");
    if (!change->pk && change->pk_size)
        return fail_change("no primary key");
    if (!change->site_id && change->site_id_size)
        return fail_change("no site_id");
    if (value->type < ROWTIDE_UNDEFINED || value->type > ROWTIDE_NULL)
        return fail_change("a value of no type");
    if ((value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB)
        && !value->data && value->size)
        return fail_change("a value without data");
    if (value->type == ROWTIDE_UNDEFINED && strcmp(change->column, "-1"))
        return fail_change("no value");
    return ROWTIDE_OK;
}

static int merge_change(rowtide__crdt *engine,
                        const rowtide_crdt_change *change, int *won)
{
    rowtide_crdt_change row;
    if (change->value.type != ROWTIDE_UNDEFINED)
        return rowtide__crdt_merge_held(engine, change, won);
    row = *change;
    row.value = rowtide_value_null();
    return rowtide__crdt_merge_held(engine, &row, won);
}

int rowtide__merging_add(rowtide__merging *merging,
                         const rowtide_crdt_change *change)
{
    int won = 0;
    int rc = check_change(change);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_check(&merging->transaction);
    if (rc == ROWTIDE_OK && rowtide__db_interrupted(merging->db))
        rc = rowtide__fail(ROWTIDE_ECANCELLED, "crdt_merge: interrupted");
    if (rc == ROWTIDE_OK)
        rc = merge_change(merging->engine, change, &won);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_report_add(merging->report, change->table,
                                      change->db_version, won > 0);
    return rc;
}

int rowtide__merging_flush(rowtide__merging *merging)
{
    int rc = rowtide__merge_check(merging->engine);
    return rc == ROWTIDE_OK ? rowtide__merge_leave(merging->engine) : rc;
}

int rowtide__merging_end(rowtide__merging *merging, rowtide_crdt_report **out)
{
    int rc = rowtide__merging_flush(merging);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&merging->transaction);
    if (rc == ROWTIDE_OK && out) {
        *out = merging->report;
        merging->report = NULL;
    }
    rowtide__merging_dispose(merging);
    return rc;
}

void rowtide__merging_dispose(rowtide__merging *merging)
{
    rowtide__transaction_rollback(&merging->transaction);
    rowtide_crdt_report_free(merging->report);
    merging->report = NULL;
}

/* ## One change after the other */

struct rowtide_crdt_merge {
    rowtide__db_child child; /* first: children are cast back */
    rowtide_db *db;
    rowtide__merging merging;
    enum { OPEN, ENDED, FAILED, CLOSED } state;
};

static void close_merge(rowtide__db_child *child)
{
    rowtide_crdt_merge *self = (rowtide_crdt_merge *)child;
    self->state = CLOSED;
    rowtide__merging_dispose(&self->merging);
}

static void dispose_merge(rowtide__db_child *child)
{
    rowtide_crdt_merge *self = (rowtide_crdt_merge *)child;
    if (rowtide__db_is_forked(self->db))
        rowtide_crdt_report_free(self->merging.report);
    else
        close_merge(child);
    rowtide__db_release(self->db);
    rowtide__free(self);
}

static int make_merge(rowtide_db *db, rowtide_crdt_merge **out)
{
    rowtide_crdt_merge *merge = rowtide__alloc_zero(sizeof *merge);
    if (!merge)
        return ROWTIDE_ENOMEM;
    int rc = rowtide__merging_begin(db, &merge->merging);
    if (rc != ROWTIDE_OK) {
        rowtide__free(merge);
        return rc;
    }
    merge->db = rowtide__db_retain(db);
    merge->child.closed = close_merge;
    rowtide__db_attach_child(db, &merge->child);
    *out = merge;
    return ROWTIDE_OK;
}

int rowtide_crdt_merge_begin(rowtide_db *db, rowtide_crdt_merge **out)
{
    ROWTIDE__CHECK_ARG(out, "crdt_merge_begin");
    *out = NULL;
    int rc = rowtide__db_enter(db, "crdt_merge_begin");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_merge(db, out);
    rowtide__db_leave(db);
    return rc;
}

static int check_state(const rowtide_crdt_merge *merge, const char *function)
{
    switch (merge->state) {
    case OPEN:
        return ROWTIDE_OK;
    case ENDED:
        return rowtide__fail(ROWTIDE_EMISUSE, "%s: the merge has ended",
                             function);
    case FAILED:
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "%s: the merge has failed and was undone",
                             function);
    default:
        return rowtide__fail(ROWTIDE_ECLOSED, "%s: the merge is closed",
                             function);
    }
}

static int enter(rowtide_crdt_merge *merge, const char *function)
{
    int rc = rowtide__db_enter(merge->db, function);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = check_state(merge, function);
    if (rc != ROWTIDE_OK)
        rowtide__db_leave(merge->db);
    return rc;
}

int rowtide_crdt_merge_add(rowtide_crdt_merge *merge,
                           const rowtide_crdt_change *change)
{
    ROWTIDE__CHECK_ARG(merge && change, "crdt_merge_add");
    int rc = enter(merge, "crdt_merge_add");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__merging_add(&merge->merging, change);
    if (rc != ROWTIDE_OK) {
        merge->state = FAILED;
        rowtide__merging_dispose(&merge->merging);
    }
    rowtide__db_leave(merge->db);
    return rc;
}

int rowtide_crdt_merge_end(rowtide_crdt_merge *merge, rowtide_crdt_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(merge, "crdt_merge_end");
    int rc = enter(merge, "crdt_merge_end");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__merging_end(&merge->merging, out);
    merge->state = rc == ROWTIDE_OK ? ENDED : FAILED;
    rowtide__db_leave(merge->db);
    return rc;
}

void rowtide_crdt_merge_free(rowtide_crdt_merge *merge)
{
    if (merge)
        rowtide__db_discard(merge->db, &merge->child, dispose_merge);
}
