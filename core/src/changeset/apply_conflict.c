#include "changeset/apply.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "changeset/codec.h"

#include <stdio.h>
#include <string.h>

static void append(char *text, size_t size, const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s", more);
}

static void append_text(char *text, size_t size, const rowtide_value *value)
{
    char piece[48];
    int shown = value->size > 40 ? 40 : (int)value->size;
    snprintf(piece, sizeof piece, "'%.*s'%s", shown,
             shown ? (const char *)value->data : "",
             value->size > 40 ? "..." : "");
    append(text, size, piece);
}

static void append_value(char *text, size_t size, const rowtide_value *value)
{
    char piece[48];
    switch (value->type) {
    case ROWTIDE_INTEGER:
        snprintf(piece, sizeof piece, "%lld", (long long)value->integer);
        break;
    case ROWTIDE_REAL:
        snprintf(piece, sizeof piece, "%.15g", value->real);
        break;
    case ROWTIDE_TEXT:
        append_text(text, size, value);
        return;
    case ROWTIDE_BLOB:
        snprintf(piece, sizeof piece, "a blob of %zu bytes", value->size);
        break;
    default:
        snprintf(piece, sizeof piece, "null");
        break;
    }
    append(text, size, piece);
}

static void describe_key(const rowtide_change *change, char *text, size_t size)
{
    const rowtide_value *values = change->old_values ? change->old_values
                                                     : change->new_values;
    int place = 0;
    text[0] = '\0';
    for (int i = 0; i < change->column_count; i++)
        if (change->primary_key[i]) {
            if (place++)
                append(text, size, ", ");
            append_value(text, size, &values[i]);
        }
}

static const char *describe_kind(const rowtide__apply *apply,
                                 rowtide_conflict_kind kind)
{
    switch (kind) {
    case ROWTIDE_CONFLICT_DATA:
        return "the row has other values";
    case ROWTIDE_CONFLICT_NOT_FOUND:
        return "there is no such row";
    case ROWTIDE_CONFLICT_CONFLICT:
        return "there is a row with this key already";
    default:
        return apply->constraint;
    }
}

static void describe(const rowtide__apply *apply, rowtide_conflict_kind kind,
                     const rowtide_change *change, char *text, size_t size)
{
    char key[200];
    describe_key(change, key, sizeof key);
    snprintf(text, size, "%s conflict: table \"%.200s\", key %s: %s: %s",
             rowtide_conflict_kind_name(kind), change->table, key,
             rowtide_change_kind_name(change->kind),
             describe_kind(apply, kind));
    rowtide__utf8_clean(text);
}

static int by_policy(const rowtide_policy *policy, rowtide_conflict_kind kind)
{
    switch (kind) {
    case ROWTIDE_CONFLICT_DATA:
        return policy->data;
    case ROWTIDE_CONFLICT_NOT_FOUND:
        return policy->not_found;
    case ROWTIDE_CONFLICT_CONFLICT:
        return policy->conflict;
    case ROWTIDE_CONFLICT_CONSTRAINT:
        return policy->constraint;
    case ROWTIDE_CONFLICT_FOREIGN_KEY:
        return policy->foreign_key;
    }
    return ROWTIDE_ACTION_ABORT;
}

/* What the handler or the policy says, be it sensible or not. */
static int ask(rowtide__apply *apply, const rowtide_conflict *conflict)
{
    if (!apply->options.on_conflict)
        return by_policy(&apply->options.policy, conflict->kind);
    int rc = rowtide__transaction_guard(&apply->transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_error_clear();
    int action = apply->options.on_conflict(conflict,
                                            apply->options.on_conflict_user);
    if (action < 0)
        return rowtide__fail_callback(action, "conflict");
    rc = rowtide__apply_still_open(apply);
    return rc == ROWTIDE_OK ? action : rc;
}

static int fail_abort(const rowtide__apply *apply, const char *message,
                      rowtide_conflict_kind kind)
{
    rowtide__fail(ROWTIDE_ECONFLICT, "%s", message);
    if (kind == ROWTIDE_CONFLICT_CONSTRAINT)
        rowtide__error_sqlite_code(apply->constraint_code);
    return ROWTIDE_ECONFLICT;
}

static int refuse_replace(rowtide_conflict_kind kind,
                          const rowtide_change *change)
{
    char key[200];
    describe_key(change, key, sizeof key);
    return rowtide__fail(ROWTIDE_EINVAL,
                         "replace is not allowed for %s (table \"%.200s\", "
                         "key %s)",
                         rowtide_conflict_kind_name(kind), change->table, key);
}

static int can_replace(rowtide_conflict_kind kind)
{
    return kind == ROWTIDE_CONFLICT_DATA || kind == ROWTIDE_CONFLICT_CONFLICT;
}

int rowtide__apply_decide(rowtide__apply *apply, rowtide_conflict_kind kind,
                          const rowtide_change *change)
{
    char message[900];
    describe(apply, kind, change, message, sizeof message);
    rowtide_conflict conflict = {
        kind, change, can_replace(kind) ? apply->row : NULL, 0, message};
    int action = ask(apply, &conflict);
    if (action < 0)
        return action;
    if (action == ROWTIDE_ACTION_ABORT)
        return fail_abort(apply, message, kind);
    if (action == ROWTIDE_ACTION_REPLACE && !can_replace(kind))
        return refuse_replace(kind, change);
    if (action != ROWTIDE_ACTION_OMIT && action != ROWTIDE_ACTION_REPLACE)
        return rowtide__fail(ROWTIDE_EINVAL, "apply: %d is no conflict action",
                             action);
    if (action == ROWTIDE_ACTION_OMIT)
        apply->report->lines[apply->table->line].omitted++;
    int rc = rowtide__apply_note_decision(apply, change,
                                          action == ROWTIDE_ACTION_REPLACE);
    return rc == ROWTIDE_OK ? action : rc;
}

int rowtide__apply_decide_foreign_keys(rowtide__apply *apply, int64_t count,
                                       const char *first)
{
    char message[400];
    snprintf(message, sizeof message,
             "foreign_key conflict: %lld violation%s%s%s", (long long)count,
             count == 1 ? "" : "s", first[0] ? ": " : "", first);
    rowtide__utf8_clean(message);
    rowtide_conflict conflict = {ROWTIDE_CONFLICT_FOREIGN_KEY, NULL, NULL,
                                 count, message};
    int action = ask(apply, &conflict);
    if (action < 0)
        return action;
    if (action == ROWTIDE_ACTION_ABORT)
        return fail_abort(apply, message, ROWTIDE_CONFLICT_FOREIGN_KEY);
    if (action == ROWTIDE_ACTION_REPLACE)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "replace is not allowed for foreign_key");
    if (action != ROWTIDE_ACTION_OMIT)
        return rowtide__fail(ROWTIDE_EINVAL, "apply: %d is no conflict action",
                             action);
    return ROWTIDE_OK;
}

static int start_rebase(rowtide__apply *apply, rowtide_buffer *rebase)
{
    if (apply->rebase_started)
        return ROWTIDE_OK;
    apply->rebase_started = 1;
    return rowtide__encode_table(rebase, 0, apply->table->name,
                                 apply->table->column_count,
                                 apply->table->primary_key);
}

/* A DELETE as it is; anything else as the INSERT of what is known of the row
 * afterwards: SQLite's form of rebase data. */
int rowtide__apply_note_decision(rowtide__apply *apply,
                                 const rowtide_change *change, int replace)
{
    rowtide_buffer *rebase = &apply->report->rebase;
    int kind = change->kind == ROWTIDE_CHANGE_DELETE ? ROWTIDE_CHANGE_DELETE
                                                     : ROWTIDE_CHANGE_INSERT;
    if (apply->patchset)
        return ROWTIDE_OK; /* it does not know enough */
    int rc = start_rebase(apply, rebase);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(rebase, kind);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(rebase, replace);
    for (int i = 0; rc == ROWTIDE_OK && i < change->column_count; i++) {
        int old = change->kind == ROWTIDE_CHANGE_DELETE
                  || (change->kind == ROWTIDE_CHANGE_UPDATE
                      && change->primary_key[i]);
        rc = rowtide__encode_value(rebase, old ? &change->old_values[i]
                                               : &change->new_values[i]);
    }
    return rc;
}
