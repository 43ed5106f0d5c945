#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "db/sql.h"

#include <stdio.h>
#include <string.h>

static int fail_table(rowtide__apply *apply, int code)
{
    return rowtide__db_fail(apply->db, code, "apply: table \"%s\"",
                            apply->table->name);
}

static int is_violation(int code)
{
    int primary = code & 0xff;
    return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH;
}

static int violated(rowtide__apply *apply, int code)
{
    if (sqlite3_get_autocommit(apply->sqlite))
        return fail_table(apply, code); /* ON CONFLICT ROLLBACK */
    snprintf(apply->constraint, sizeof apply->constraint, "%s",
             sqlite3_errmsg(apply->sqlite));
    apply->constraint_code = sqlite3_extended_errcode(apply->sqlite);
    return ROWTIDE__APPLY_VIOLATED;
}

/* `code` is what the binding came to. */
static int run(rowtide__apply *apply, sqlite3_stmt *stmt, int code)
{
    if (code != SQLITE_OK)
        return fail_table(apply, code);
    sqlite3_step(stmt);
    code = sqlite3_reset(stmt);
    if (code == SQLITE_OK)
        return ROWTIDE_OK;
    return is_violation(code) ? violated(apply, code) : fail_table(apply, code);
}

static int matched(rowtide__apply *apply, int rc)
{
    if (rc == ROWTIDE_OK && sqlite3_changes(apply->sqlite) == 0)
        return ROWTIDE__APPLY_UNMATCHED;
    return rc;
}

/* An INSERT that SQLite passed over without an error. */
static int ignored(rowtide__apply *apply)
{
    snprintf(apply->constraint, sizeof apply->constraint,
             "a trigger or an ON CONFLICT clause ignores the row");
    apply->constraint_code = SQLITE_CONSTRAINT;
    return ROWTIDE__APPLY_VIOLATED;
}

/* The values that say which row is meant. */
static const rowtide_value *key_values(const rowtide_change *change)
{
    return change->old_values ? change->old_values : change->new_values;
}

static int bind_key(sqlite3_stmt *stmt, const rowtide_change *change,
                    int *parameter)
{
    const rowtide_value *values = key_values(change);
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < change->column_count; i++)
        if (change->primary_key[i])
            code = rowtide__sql_bind(stmt, ++*parameter, &values[i]);
    return code;
}

static int is_binary(const rowtide__apply *apply, int i)
{
    const rowtide__apply_table *table = apply->table;
    const char *collation = table->info.columns[table->columns[i]].collation;
    return sqlite3_stricmp(collation, "BINARY") == 0;
}

/* In the order of append_values(). */
static int bind_old(rowtide__apply *apply, sqlite3_stmt *stmt,
                    const rowtide_change *change, int *parameter)
{
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < change->column_count; i++) {
        int compared = change->primary_key[i]
                           ? !is_binary(apply, i)
                           : change->old_values[i].type != ROWTIDE_UNDEFINED;
        if (compared)
            code = rowtide__sql_bind(stmt, ++*parameter,
                                     &change->old_values[i]);
    }
    return code;
}

static int try_insert(rowtide__apply *apply, const rowtide_change *change)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__apply_stmt_insert(apply, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < change->column_count; i++)
        code = rowtide__sql_bind(stmt, i + 1, &change->new_values[i]);
    rc = matched(apply, run(apply, stmt, code));
    return rc == ROWTIDE__APPLY_UNMATCHED ? ignored(apply) : rc;
}

static int try_delete(rowtide__apply *apply, const rowtide_change *change,
                      int forced)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__apply_stmt_delete(apply, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    if (forced) /* what is bound from an earlier change is gone */
        sqlite3_clear_bindings(stmt);
    int parameter = 0;
    int code = bind_key(stmt, change, &parameter);
    if (code == SQLITE_OK && !apply->patchset)
        code = sqlite3_bind_int(stmt, ++parameter, forced);
    if (code == SQLITE_OK && !apply->patchset && !forced)
        code = bind_old(apply, stmt, change, &parameter);
    return matched(apply, run(apply, stmt, code));
}

static int try_update(rowtide__apply *apply, const rowtide_change *change,
                      int forced)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__apply_stmt_update(apply, change, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    int parameter = 0, code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < change->column_count; i++)
        if (!change->primary_key[i]
            && change->new_values[i].type != ROWTIDE_UNDEFINED)
            code = rowtide__sql_bind(stmt, ++parameter, &change->new_values[i]);
    if (code == SQLITE_OK)
        code = bind_key(stmt, change, &parameter);
    if (code == SQLITE_OK && !apply->patchset)
        code = sqlite3_bind_int(stmt, ++parameter, forced);
    if (code == SQLITE_OK && !apply->patchset)
        code = bind_old(apply, stmt, change, &parameter);
    return matched(apply, run(apply, stmt, code));
}

int rowtide__apply_force_delete(rowtide__apply *apply,
                                const rowtide_change *change)
{
    return try_delete(apply, change, 1);
}

static int run_sql(rowtide__apply *apply, sqlite3_stmt **stmt, const char *sql)
{
    int code = SQLITE_OK;
    if (!*stmt)
        code = sqlite3_prepare_v2(apply->sqlite, sql, -1, stmt, NULL);
    if (code == SQLITE_OK) {
        sqlite3_step(*stmt);
        code = sqlite3_reset(*stmt);
    }
    return code == SQLITE_OK ? ROWTIDE_OK : fail_table(apply, code);
}

int rowtide__apply_savepoint(rowtide__apply *apply)
{
    return run_sql(apply, &apply->savepoint, "SAVEPOINT rowtide_apply_change");
}

int rowtide__apply_release(rowtide__apply *apply)
{
    return run_sql(apply, &apply->release, "RELEASE rowtide_apply_change");
}

int rowtide__apply_rollback_to(rowtide__apply *apply)
{
    int rc = run_sql(apply, &apply->rollback_to,
                     "ROLLBACK TO rowtide_apply_change");
    return rc == ROWTIDE_OK ? rowtide__apply_release(apply) : rc;
}

/* The row in the way goes, or stays if the new one cannot take its place. */
static int try_replace(rowtide__apply *apply, const rowtide_change *change)
{
    int rc = rowtide__apply_savepoint(apply);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = try_delete(apply, change, 1);
    if (rc == ROWTIDE_OK || rc == ROWTIDE__APPLY_UNMATCHED)
        rc = try_insert(apply, change);
    if (rc < 0)
        return rc; /* the whole transaction is rolled back */
    int end = rc == ROWTIDE_OK ? rowtide__apply_release(apply)
                               : rowtide__apply_rollback_to(apply);
    return end != ROWTIDE_OK ? end : rc;
}

int rowtide__apply_try(rowtide__apply *apply, const rowtide_change *change,
                       int forced)
{
    switch (change->kind) {
    case ROWTIDE_CHANGE_INSERT:
        return forced ? try_replace(apply, change) : try_insert(apply, change);
    case ROWTIDE_CHANGE_DELETE:
        return try_delete(apply, change, forced);
    case ROWTIDE_CHANGE_UPDATE:
        return try_update(apply, change, forced);
    }
    return rowtide__fail(ROWTIDE_EINTERNAL, "apply: kind of change %d",
                         (int)change->kind);
}

static int ensure_row(rowtide__apply *apply, int count)
{
    if (count <= apply->row_capacity)
        return ROWTIDE_OK;
    rowtide_value *row = rowtide__realloc(apply->row,
                                          (size_t)count * sizeof *row);
    if (!row)
        return ROWTIDE_ENOMEM;
    apply->row = row;
    apply->row_capacity = count;
    return ROWTIDE_OK;
}

/* Copied, so that no statement stays open while the handler runs. */
static int copy_row(rowtide__apply *apply, sqlite3_stmt *stmt, int count)
{
    rowtide__buffer_clear(&apply->row_bytes);
    int rc = ensure_row(apply, count);
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++) {
        rowtide_value *value = &apply->row[i];
        rc = rowtide__sql_column(stmt, i, value);
        if (rc == ROWTIDE_OK && value->size)
            rc = rowtide__buffer_append(&apply->row_bytes, value->data,
                                        value->size);
    }
    const char *data = apply->row_bytes.data;
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++)
        if (apply->row[i].size) {
            apply->row[i].data = data;
            data += apply->row[i].size;
        } else {
            apply->row[i].data = NULL;
        }
    return rc;
}

int rowtide__apply_read_row(rowtide__apply *apply, const rowtide_change *change)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__apply_stmt_select(apply, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    int parameter = 0;
    int code = bind_key(stmt, change, &parameter);
    if (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        rc = copy_row(apply, stmt, change->column_count);
    else
        rc = ROWTIDE_DONE;
    int reset = sqlite3_reset(stmt);
    if (code != SQLITE_OK || reset != SQLITE_OK)
        return fail_table(apply, code != SQLITE_OK ? code : reset);
    return rc;
}

/* Is the database as the change would leave it? `apply->row` is the row. */
static int is_noop(const rowtide__apply *apply, const rowtide_change *change)
{
    if (!(apply->options.flags & ROWTIDE_APPLY_IGNORE_NOOP)
        || change->kind == ROWTIDE_CHANGE_DELETE)
        return 0;
    for (int i = 0; i < change->column_count; i++)
        if (change->new_values[i].type != ROWTIDE_UNDEFINED
            && !rowtide_value_equal(&change->new_values[i], &apply->row[i]))
            return 0;
    return 1;
}

static int pass_noop(rowtide__apply *apply, const rowtide_change *change)
{
    apply->report->lines[apply->table->line].skipped++;
    return rowtide__apply_note_decision(apply, change, 0);
}

static int succeed(rowtide__apply *apply, int forced)
{
    rowtide__report_line *line = &apply->report->lines[apply->table->line];
    line->applied++;
    line->replaced += forced != 0;
    return ROWTIDE_OK;
}

static int resolve_constraint(rowtide__apply *apply,
                              const rowtide_change *change, int forced,
                              int last)
{
    if (!last)
        return rowtide__apply_pending_add(apply, change, forced);
    int action = rowtide__apply_decide(apply, ROWTIDE_CONFLICT_CONSTRAINT,
                                       change);
    return action < 0 ? action : ROWTIDE_OK;
}

static int resolve_missing(rowtide__apply *apply, const rowtide_change *change)
{
    if (change->kind == ROWTIDE_CHANGE_DELETE
        && (apply->options.flags & ROWTIDE_APPLY_IGNORE_NOOP))
        return pass_noop(apply, change);
    int action = rowtide__apply_decide(apply, ROWTIDE_CONFLICT_NOT_FOUND,
                                       change);
    return action < 0 ? action : ROWTIDE_OK;
}

/* The row with this key is in apply->row. */
static int resolve_present(rowtide__apply *apply, const rowtide_change *change,
                           int last)
{
    if (is_noop(apply, change))
        return pass_noop(apply, change);
    rowtide_conflict_kind kind = change->kind == ROWTIDE_CHANGE_INSERT
                                     ? ROWTIDE_CONFLICT_CONFLICT
                                     : ROWTIDE_CONFLICT_DATA;
    int action = rowtide__apply_decide(apply, kind, change);
    if (action < 0 || action == ROWTIDE_ACTION_OMIT)
        return action < 0 ? action : ROWTIDE_OK;
    int rc = rowtide__apply_try(apply, change, 1);
    if (rc == ROWTIDE__APPLY_VIOLATED)
        return resolve_constraint(apply, change, 1, last);
    if (rc == ROWTIDE__APPLY_UNMATCHED) /* a trigger or the handler did it */
        rc = ROWTIDE_OK;
    return rc == ROWTIDE_OK ? succeed(apply, 1) : rc;
}

int rowtide__apply_change(rowtide__apply *apply, const rowtide_change *change,
                          int forced, int last)
{
    int rc = rowtide__apply_try(apply, change, forced);
    if (rc == ROWTIDE_OK)
        return succeed(apply, forced);
    if (rc < 0)
        return rc;
    int insert = change->kind == ROWTIDE_CHANGE_INSERT;
    if (rc == ROWTIDE__APPLY_VIOLATED && (!insert || forced))
        return resolve_constraint(apply, change, forced, last);
    rc = rowtide__apply_read_row(apply, change);
    if (rc == ROWTIDE_OK)
        return resolve_present(apply, change, last);
    if (rc != ROWTIDE_DONE)
        return rc;
    return insert ? resolve_constraint(apply, change, 0, last)
                  : resolve_missing(apply, change);
}
