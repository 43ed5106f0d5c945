#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "db/sql.h"

#include <string.h>

/* Rows that hold each other's unique values cannot be updated one by one.
 * All of them are read, deleted and inserted anew with their new values, with
 * foreign key actions and triggers off, as nothing but these values changes.
 * Where somebody could tell the difference, it is not done. */

typedef struct rewrite {
    rowtide__apply *apply;
    sqlite3_stmt *read, *write;
    int column_count;      /* of both statements */
    int rowid;             /* 1 if the first one is the rowid */
    rowtide_value *values; /* column_count for each entry */
    rowtide_buffer *bytes; /* one for each entry */
} rewrite;

static const char SQL_HAS_TRIGGERS[] =
    "SELECT EXISTS(SELECT 1 FROM main.sqlite_schema WHERE type='trigger'"
    " AND tbl_name=%Q COLLATE NOCASE) OR EXISTS(SELECT 1 FROM"
    " temp.sqlite_schema WHERE type='trigger' AND tbl_name=%Q COLLATE NOCASE)";

/* A foreign key that refers to anything but the primary key. */
static const char SQL_IS_REFERRED_TO[] =
    "SELECT EXISTS(SELECT 1 FROM main.sqlite_schema s,"
    " pragma_foreign_key_list(s.name,'main') f WHERE s.type='table'"
    " AND f.\"table\"=%Q COLLATE NOCASE AND f.\"to\" IS NOT NULL"
    " AND NOT EXISTS(SELECT 1 FROM pragma_table_info(%Q,'main') c"
    " WHERE c.pk AND c.name=f.\"to\" COLLATE NOCASE))";

static int is_possible(rowtide__apply *apply, int *possible)
{
    const char *table = apply->table->info.name;
    int64_t found = 0;
    int rc = ROWTIDE_OK;
    *possible = 0;
    for (const rowtide__apply_pending *p = apply->pending; p; p = p->next)
        if (p->change.kind == ROWTIDE_CHANGE_DELETE)
            return ROWTIDE_OK;
    if (apply->settings.triggers
        && !(apply->options.flags & ROWTIDE_APPLY_NO_TRIGGERS))
        rc = rowtide__sql_integer(apply->db, &found, 0, SQL_HAS_TRIGGERS, table,
                                  table);
    if (rc == ROWTIDE_OK && !found && apply->settings.foreign_keys)
        rc = rowtide__sql_integer(apply->db, &found, 0, SQL_IS_REFERRED_TO,
                                  table, table);
    *possible = !found;
    return rc;
}

static int has_column(const rowtide__table_info *info, const char *name)
{
    for (int i = 0; i < info->column_count; i++)
        if (sqlite3_stricmp(info->columns[i].name, name) == 0)
            return 1;
    return 0;
}

static int has_integer_key(const rowtide__table_info *info)
{
    for (int i = 0; i < info->column_count; i++)
        if (info->columns[i].primary_key)
            return info->key_count == 1
                   && sqlite3_stricmp(info->columns[i].declared_type, "INTEGER")
                          == 0;
    return 0;
}

/* The name that reaches a rowid which is no column; NULL if none does. */
static const char *rowid_name(const rowtide__table_info *info)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    if (info->without_rowid || has_integer_key(info))
        return NULL;
    for (int i = 0; i < 3; i++)
        if (!has_column(info, names[i]))
            return names[i];
    return NULL;
}

static int append_sqlite(rowtide_buffer *sql, char *text)
{
    int rc = text ? rowtide__buffer_append_text(sql, text) : rowtide__nomem();
    sqlite3_free(text);
    return rc;
}

static int append_columns(rewrite *work, rowtide_buffer *sql)
{
    const rowtide__table_info *info = &work->apply->table->info;
    const char *rowid = rowid_name(info);
    int rc = ROWTIDE_OK;
    work->rowid = rowid != NULL;
    work->column_count = work->rowid + info->ordinary_count;
    if (rowid)
        rc = rowtide__buffer_append_text(sql, rowid);
    for (int i = 0, first = !rowid; rc == ROWTIDE_OK && i < info->column_count;
         i++) {
        if (info->columns[i].generated)
            continue;
        rc = append_sqlite(sql, sqlite3_mprintf("%s\"%w\"", first ? "" : ",",
                                                info->columns[i].name));
        first = 0;
    }
    return rc;
}

static int prepare_read(rewrite *work, const char *columns)
{
    const rowtide__apply_table *table = work->apply->table;
    rowtide_buffer where = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < table->column_count; i++)
        if (table->primary_key[i])
            rc = append_sqlite(
                &where,
                sqlite3_mprintf("%s\"%w\"=?", where.size ? " AND " : "",
                                table->info.columns[table->columns[i]].name));
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_prepare(work->apply->db, &work->read,
                                  "SELECT %s FROM main.\"%w\" WHERE %s",
                                  columns, table->info.name, where.data);
    rowtide_buffer_dispose(&where);
    return rc;
}

static int prepare_write(rewrite *work, const char *columns)
{
    rowtide_buffer marks = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++)
        rc = rowtide__buffer_append_text(&marks, i ? ",?" : "?");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_prepare(work->apply->db, &work->write,
                                  "INSERT INTO main.\"%w\"(%s) VALUES(%s)",
                                  work->apply->table->info.name, columns,
                                  marks.data);
    rowtide_buffer_dispose(&marks);
    return rc;
}

static int prepare(rewrite *work)
{
    rowtide_buffer columns = ROWTIDE_BUFFER_INIT;
    size_t count = (size_t)work->apply->pending_count;
    int rc = append_columns(work, &columns);
    if (rc == ROWTIDE_OK)
        rc = prepare_read(work, columns.data);
    if (rc == ROWTIDE_OK)
        rc = prepare_write(work, columns.data);
    rowtide_buffer_dispose(&columns);
    if (rc != ROWTIDE_OK)
        return rc;
    work->values = rowtide__alloc_array(count * (size_t)work->column_count,
                                        sizeof *work->values);
    work->bytes = rowtide__alloc_array(count, sizeof *work->bytes);
    return work->values && work->bytes ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static void dispose(rewrite *work)
{
    for (int64_t i = 0; work->bytes && i < work->apply->pending_count; i++)
        rowtide_buffer_dispose(&work->bytes[i]);
    rowtide__free(work->bytes);
    rowtide__free(work->values);
    sqlite3_finalize(work->read);
    sqlite3_finalize(work->write);
}

static int keep_row(rewrite *work, int64_t entry)
{
    rowtide_value *row = work->values + entry * work->column_count;
    rowtide_buffer *bytes = &work->bytes[entry];
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++) {
        rc = rowtide__sql_column(work->read, i, &row[i]);
        if (rc == ROWTIDE_OK && row[i].size)
            rc = rowtide__buffer_append(bytes, row[i].data, row[i].size);
    }
    const char *data = bytes->data;
    for (int i = 0; rc == ROWTIDE_OK && i < work->column_count; i++)
        if (row[i].size) {
            row[i].data = data;
            data += row[i].size;
        }
    return rc;
}

/* Where column `i` of the changeset is in a row of ours. */
static int place_of(const rewrite *work, int i)
{
    return work->rowid + i;
}

/* The old values must be there unless the change is forced. */
static int merge_change(rewrite *work, const rowtide__apply_pending *pending,
                        int64_t entry)
{
    const rowtide_change *change = &pending->change;
    rowtide_value *row = work->values + entry * work->column_count;
    for (int i = 0; i < change->column_count; i++) {
        rowtide_value *value = &row[place_of(work, i)];
        if (change->new_values[i].type == ROWTIDE_UNDEFINED
            || change->primary_key[i])
            continue;
        if (!pending->forced && !work->apply->patchset
            && !rowtide_value_equal(&change->old_values[i], value))
            return ROWTIDE_DONE;
        *value = change->new_values[i];
    }
    return ROWTIDE_OK;
}

static int read_update(rewrite *work, const rowtide__apply_pending *pending,
                       int64_t entry)
{
    const rowtide_change *change = &pending->change;
    int parameter = 0, code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < change->column_count; i++)
        if (change->primary_key[i])
            code = rowtide__sql_bind(work->read, ++parameter,
                                     &change->old_values[i]);
    if (code != SQLITE_OK)
        return rowtide__db_fail(work->apply->db, code, "apply: table \"%s\"",
                                change->table);
    int rc = rowtide__sql_step(work->apply->db, work->read);
    if (rc == ROWTIDE_OK)
        rc = keep_row(work, entry);
    sqlite3_reset(work->read);
    return rc == ROWTIDE_OK ? merge_change(work, pending, entry) : rc;
}

static int take_out(rewrite *work)
{
    rowtide__apply *apply = work->apply;
    int64_t entry = 0;
    int rc = ROWTIDE_OK;
    for (const rowtide__apply_pending *p = apply->pending;
         p && rc == ROWTIDE_OK; p = p->next, entry++) {
        int update = p->change.kind == ROWTIDE_CHANGE_UPDATE;
        if (update)
            rc = read_update(work, p, entry);
        if (rc == ROWTIDE_OK && (update || p->forced)) {
            rc = rowtide__apply_force_delete(apply, &p->change);
            if (rc == ROWTIDE__APPLY_UNMATCHED)
                rc = ROWTIDE_OK;
        }
    }
    return rc;
}

static int write_row(rewrite *work, int64_t entry)
{
    const rowtide_value *row = work->values + entry * work->column_count;
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < work->column_count; i++)
        code = rowtide__sql_bind(work->write, i + 1, &row[i]);
    if (code == SQLITE_OK) {
        sqlite3_step(work->write);
        code = sqlite3_reset(work->write);
    }
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return ROWTIDE__APPLY_VIOLATED;
    return code == SQLITE_OK
               ? ROWTIDE_OK
               : rowtide__db_fail(work->apply->db, code, "apply: table \"%s\"",
                                  work->apply->table->name);
}

static int put_in(rewrite *work)
{
    rowtide__apply *apply = work->apply;
    int64_t entry = 0;
    int rc = ROWTIDE_OK;
    for (const rowtide__apply_pending *p = apply->pending;
         p && rc == ROWTIDE_OK; p = p->next, entry++)
        rc = p->change.kind == ROWTIDE_CHANGE_UPDATE
                 ? write_row(work, entry)
                 : rowtide__apply_try(apply, &p->change, 0);
    return rc;
}

static void count_applied(rowtide__apply *apply)
{
    rowtide__report_line *line = &apply->report->lines[apply->table->line];
    for (const rowtide__apply_pending *p = apply->pending; p; p = p->next) {
        line->applied++;
        line->replaced += p->forced != 0;
    }
    rowtide__apply_pending_free(apply);
}

static int take_out_and_put_in(rewrite *work)
{
    int rc = rowtide__apply_savepoint(work->apply);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = take_out(work);
    if (rc == ROWTIDE_OK)
        rc = put_in(work);
    if (rc < 0)
        return rc;
    int end = rc == ROWTIDE_OK ? rowtide__apply_release(work->apply)
                               : rowtide__apply_rollback_to(work->apply);
    if (end != ROWTIDE_OK)
        return end;
    return rc == ROWTIDE_OK ? ROWTIDE_OK : ROWTIDE_DONE;
}

int rowtide__apply_rewrite(rowtide__apply *apply)
{
    rewrite work = {.apply = apply};
    int possible;
    int rc = is_possible(apply, &possible);
    if (rc != ROWTIDE_OK || !possible)
        return rc == ROWTIDE_OK ? ROWTIDE_DONE : rc;
    rc = rowtide__apply_foreign_keys_uncounted(apply);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__apply_settings_quiet(apply);
    rc = prepare(&work);
    if (rc == ROWTIDE_OK)
        rc = take_out_and_put_in(&work);
    rowtide__apply_settings_unquiet(apply);
    dispose(&work);
    if (rc == ROWTIDE_OK)
        count_applied(apply);
    return rc;
}
