#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/stream.h"
#include "changeset/callback.h"
#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "db/sql.h"

#include <string.h>

enum { STEPS_PER_CHECK = 128 };

static const unsigned KNOWN_FLAGS = ROWTIDE_APPLY_INVERT
                                    | ROWTIDE_APPLY_IGNORE_NOOP
                                    | ROWTIDE_APPLY_FK_NO_ACTION
                                    | ROWTIDE_APPLY_NO_TRIGGERS
                                    | ROWTIDE_APPLY_SKIP_INDIRECT
                                    | ROWTIDE_APPLY_SKIP_MISFITS;

static int is_action(rowtide_conflict_action action)
{
    return action == ROWTIDE_ACTION_OMIT || action == ROWTIDE_ACTION_REPLACE
           || action == ROWTIDE_ACTION_ABORT;
}

static int check_policy(const rowtide_policy *policy)
{
    if (!is_action(policy->data) || !is_action(policy->not_found)
        || !is_action(policy->conflict) || !is_action(policy->constraint)
        || !is_action(policy->foreign_key))
        return rowtide__fail(ROWTIDE_EINVAL,
                             "apply: the policy has a number that is no "
                             "conflict action");
    return ROWTIDE_OK;
}

static int copy_options(const rowtide_apply_options *from,
                        rowtide_apply_options *to)
{
    *to = (rowtide_apply_options)ROWTIDE_APPLY_OPTIONS_INIT;
    if (!from)
        return ROWTIDE_OK;
    if (from->size < offsetof(rowtide_apply_options, progress_user)
                         + sizeof from->progress_user)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "apply: options were not initialised with "
                             "ROWTIDE_APPLY_OPTIONS_INIT");
    *to = *from;
    if (from->flags & ~KNOWN_FLAGS)
        return rowtide__fail(ROWTIDE_EINVAL, "apply: unknown flags 0x%x",
                             from->flags & ~KNOWN_FLAGS);
    return check_policy(&to->policy);
}

static int report_progress(rowtide__apply *apply, int64_t done)
{
    rowtide_progress progress = {"apply", done, apply->total,
                                 apply->table ? apply->table->name : NULL};
    apply->next_progress = rowtide__next_progress();
    int rc = rowtide__transaction_guard(&apply->transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__call_progress(apply->options.progress,
                                apply->options.progress_user, &progress);
    return rc == ROWTIDE_OK ? rowtide__apply_still_open(apply) : rc;
}

static int check_interrupt(const rowtide__apply *apply)
{
    return rowtide__db_interrupted(apply->db)
               ? rowtide__fail(ROWTIDE_ECANCELLED, "apply: interrupted")
               : ROWTIDE_OK;
}

static int check_cancel(rowtide__apply *apply,
                        const rowtide_changeset_iter *iter)
{
    if (++apply->steps % STEPS_PER_CHECK)
        return ROWTIDE_OK;
    int rc = check_interrupt(apply);
    if (rc != ROWTIDE_OK)
        return rc;
    if (apply->options.progress && rowtide__clock_ms() >= apply->next_progress)
        return report_progress(apply, rowtide__iter_position(iter));
    return ROWTIDE_OK;
}

/* Note in the report why a table is left out, or add it to what is wrong. */
static int judge_fit(rowtide__apply *apply, rowtide__apply_table *table,
                     rowtide_buffer *wrong)
{
    rowtide_buffer reason = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__apply_table_misfit(table, &reason);
    if (rc == ROWTIDE_OK && reason.size) {
        if (apply->options.flags & ROWTIDE_APPLY_SKIP_MISFITS) {
            table->skipped = 1;
            apply->report->lines[table->line].skip_reason = rowtide__strdup(
                reason.data);
            if (!apply->report->lines[table->line].skip_reason)
                rc = ROWTIDE_ENOMEM;
        } else {
            rc = rowtide__buffer_append_format(wrong, "%stable \"%s\" %s",
                                               wrong->size ? "; " : "",
                                               table->name, reason.data);
        }
    }
    rowtide_buffer_dispose(&reason);
    return rc;
}

static int meet_table(rowtide__apply *apply, const rowtide_change *change,
                      rowtide_buffer *wrong, rowtide__apply_table **out)
{
    int rc = rowtide__apply_table_find(apply, change, out);
    if (rc != ROWTIDE_OK || (*out)->judged)
        return rc;
    (*out)->judged = 1;
    return (*out)->skipped ? ROWTIDE_OK : judge_fit(apply, *out, wrong);
}

static int fail_misfits(rowtide_buffer *wrong, int rc)
{
    if (rc == ROWTIDE_OK && wrong->size)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "changeset does not fit: %s",
                           wrong->data);
    rowtide_buffer_dispose(wrong);
    return rc;
}

/* All tables of a changeset in memory, before anything is written. */
static int preflight(rowtide__apply *apply, const rowtide_changeset *changeset)
{
    rowtide_buffer wrong = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < changeset->changed_count; i++) {
        const rowtide__table *shape = changeset->changed[i];
        rowtide__apply_table *table;
        rowtide_change change = {.table = shape->name,
                                 .column_count = shape->column_count,
                                 .primary_key = shape->primary_key,
                                 .offset = -1};
        rc = meet_table(apply, &change, &wrong, &table);
    }
    return fail_misfits(&wrong, rc);
}

static int enter_table(rowtide__apply *apply, const rowtide_change *change)
{
    rowtide_buffer wrong = ROWTIDE_BUFFER_INIT;
    rowtide__apply_table *table;
    int rc = meet_table(apply, change, &wrong, &table);
    rc = fail_misfits(&wrong, rc);
    if (rc != ROWTIDE_OK || table == apply->table)
        return rc;
    rc = rowtide__apply_pending_flush(apply);
    apply->table = table;
    apply->rebase_started = 0;
    return rc;
}

/* 1 to apply the change, 0 to leave it out. */
static int choose_change(rowtide__apply *apply, const rowtide_change *change)
{
    if (apply->table->skipped
        || (change->indirect
            && (apply->options.flags & ROWTIDE_APPLY_SKIP_INDIRECT)))
        return 0;
    if (!apply->options.change_filter)
        return 1;
    int rc = rowtide__transaction_guard(&apply->transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_error_clear();
    int chosen = apply->options.change_filter(
        change, apply->options.change_filter_user);
    if (chosen < 0)
        return rowtide__fail_callback(chosen, "change filter");
    rc = rowtide__apply_still_open(apply);
    return rc != ROWTIDE_OK ? rc : chosen != 0;
}

static int take_change(rowtide__apply *apply, rowtide_changeset_iter *iter,
                       const rowtide_change *change)
{
    int rc = ROWTIDE_OK;
    if (!apply->table || rowtide__iter_table_started(iter)) {
        apply->patchset = rowtide__iter_is_patchset(iter) == 1;
        rc = enter_table(apply, change);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    int chosen = choose_change(apply, change);
    if (chosen < 0)
        return chosen;
    if (!chosen)
        apply->report->lines[apply->table->line].skipped++;
    else
        rc = rowtide__apply_change(apply, change, 0, 0);
    return rc == ROWTIDE_OK ? check_cancel(apply, iter) : rc;
}

static int take_all(rowtide__apply *apply, rowtide_changeset_iter *iter)
{
    const rowtide_change *change;
    int rc;
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        if ((rc = take_change(apply, iter, change)) != ROWTIDE_OK)
            return rc;
    return rc == ROWTIDE_DONE ? rowtide__apply_pending_flush(apply) : rc;
}

/* `changeset` is NULL for a stream. */
static int run_in_transaction(rowtide__apply *apply,
                              const rowtide_changeset *changeset,
                              rowtide_changeset_iter *iter)
{
    int rc = rowtide__apply_settings_change(apply);
    if (rc == ROWTIDE_OK && changeset)
        rc = preflight(apply, changeset);
    if (rc == ROWTIDE_OK)
        rc = rowtide__apply_foreign_keys_before(apply);
    if (rc == ROWTIDE_OK)
        rc = take_all(apply, iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__apply_foreign_keys_after(apply);
    if (rc == ROWTIDE_OK && apply->options.progress)
        rc = report_progress(apply, rowtide__iter_position(iter));
    return rc == ROWTIDE_OK ? check_interrupt(apply) : rc;
}

static int run(rowtide__apply *apply, const rowtide_changeset *changeset,
               rowtide_changeset_iter *iter)
{
    int rc = rowtide__transaction_begin(apply->db, &apply->transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = run_in_transaction(apply, changeset, iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__apply_settings_relent(apply);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_commit(&apply->transaction);
    else
        rowtide__transaction_rollback(&apply->transaction);
    rowtide__apply_settings_restore(apply);
    return rc;
}

static void dispose(rowtide__apply *apply)
{
    rowtide__apply_pending_free(apply);
    rowtide_report_free(apply->report);
    rowtide__violations_dispose(&apply->fk_before);
    rowtide__free(apply->row);
    rowtide_buffer_dispose(&apply->row_bytes);
    sqlite3_finalize(apply->savepoint);
    sqlite3_finalize(apply->release);
    sqlite3_finalize(apply->rollback_to);
    rowtide__apply_tables_free(apply);
}

static int apply_entered(rowtide__apply *apply,
                         const rowtide_changeset *changeset,
                         rowtide_changeset_iter *iter, rowtide_report **out)
{
    sqlite3_stmt *pin;
    int rc = rowtide__db_pin(apply->db, &pin);
    if (rc != ROWTIDE_OK)
        return rc;
    apply->sqlite = rowtide_db_sqlite(apply->db);
    apply->report = rowtide__report_new();
    rc = apply->report ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    if (rc == ROWTIDE_OK && (!changeset || changeset->change_count))
        rc = run(apply, changeset, iter);
    if (rc == ROWTIDE_OK && out) {
        *out = apply->report;
        apply->report = NULL;
    }
    dispose(apply);
    sqlite3_finalize(pin); /* last: the connection may end with it */
    return rc;
}

static int apply_iter(rowtide__apply *apply, const rowtide_changeset *changeset,
                      rowtide_changeset_iter *iter, rowtide_report **out)
{
    int rc = rowtide__db_enter(apply->db, "changeset_apply");
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_db *db = rowtide__db_retain(apply->db);
    rc = apply_entered(apply, changeset, iter, out);
    rowtide__db_leave(db);
    rowtide__db_release(db);
    return rc;
}

static unsigned iter_flags(const rowtide_apply_options *options)
{
    return options->flags & ROWTIDE_APPLY_INVERT ? ROWTIDE_ITER_INVERT : 0;
}

int rowtide_changeset_apply(rowtide_db *db, rowtide_changeset *changeset,
                            const rowtide_apply_options *options,
                            rowtide_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(db != NULL, "changeset_apply");
    ROWTIDE__CHECK_ARG(changeset != NULL, "changeset_apply");
    rowtide__apply apply = {.db = db};
    rowtide_changeset_iter *iter = NULL;
    int rc = copy_options(options, &apply.options);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_new(changeset, iter_flags(&apply.options),
                                        &iter);
    apply.total = (int64_t)rowtide_changeset_size(changeset);
    if (rc == ROWTIDE_OK)
        rc = apply_iter(&apply, changeset, iter, out);
    rowtide_changeset_iter_free(iter);
    return rc;
}

int rowtide_changeset_apply_stream(rowtide_db *db, rowtide_source *source,
                                   const rowtide_apply_options *options,
                                   rowtide_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(db != NULL, "changeset_apply_stream");
    ROWTIDE__CHECK_ARG(source != NULL, "changeset_apply_stream");
    rowtide__apply apply = {.db = db};
    rowtide_changeset_iter *iter = NULL;
    int rc = copy_options(options, &apply.options);
    apply.total = rowtide__source_total(source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_stream(source, iter_flags(&apply.options),
                                           &iter);
    if (rc == ROWTIDE_OK)
        rc = apply_iter(&apply, NULL, iter, out);
    rowtide_changeset_iter_free(iter);
    return rc;
}
