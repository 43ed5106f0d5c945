#include "schema/steps_make.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

/* The order is everything here. With foreign keys off, DROP TABLE does not
 * delete rows elsewhere. With legacy_alter_table on, views and triggers of
 * other tables are left alone while the table is not there, and a reference to
 * the table itself is written with its final name from the start. Indexes are
 * made when the rows are in: that is four times faster. */

/* SQL of the columns that are copied. */
typedef struct copying {
    rowtide_buffer into, from;
    rowtide__writer write_into, write_from;
    int count;
} copying;

static void write_name(rowtide__writer *writer, const char *name)
{
    rowtide__write_byte(writer, '"');
    for (; *name; name++) {
        if (*name == '"')
            rowtide__write_byte(writer, '"');
        rowtide__write_byte(writer, *name);
    }
    rowtide__write_byte(writer, '"');
}

static void copy_column(copying *it, const char *into, const char *from)
{
    if (it->count++ > 0) {
        rowtide__write_text(&it->write_into, ", ");
        rowtide__write_text(&it->write_from, ", ");
    }
    write_name(&it->write_into, into);
    write_name(&it->write_from, from);
}

/* The table as it is going to be, which its text alone tells: not the target,
 * of which some changes may not be wanted. */
static int read_new(rowtide__arena *arena, const char *sql, rowtide__ddl **out)
{
    return rowtide__ddl_parse(sql, strlen(sql), arena, out);
}

static int is_generated(const rowtide__ddl_column *column)
{
    return rowtide__ddl_find_constraint(column, ROWTIDE__GENERATED) != NULL;
}

static const char *free_rowid_name(const rowtide__ddl *ddl)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!rowtide__ddl_find_column(ddl, names[i]))
            return names[i];
    return NULL;
}

/* "INTEGER PRIMARY KEY": another name of the rowid. */
static const rowtide__ddl_column *rowid_column(const rowtide__ddl *ddl)
{
    const rowtide__ddl_constraint *key = ddl->constraints;
    const rowtide__ddl_column *column = ddl->columns;
    for (; column; column = column->next) {
        const rowtide__ddl_constraint *own = rowtide__ddl_find_constraint(
            column, ROWTIDE__PRIMARY_KEY);
        if (own)
            return rowtide__name_equal(column->type, "INTEGER")
                           && !(own->part_count && own->parts[0].descending)
                       ? column
                       : NULL;
    }
    while (key && key->kind != ROWTIDE__PRIMARY_KEY)
        key = key->next;
    if (!key || key->part_count != 1 || !key->parts[0].name)
        return NULL;
    column = rowtide__ddl_find_column(ddl, key->parts[0].name);
    return column && rowtide__name_equal(column->type, "INTEGER") ? column
                                                                  : NULL;
}

static int has_autoincrement(const rowtide__ddl *ddl)
{
    const rowtide__ddl_column *column = rowid_column(ddl);
    const rowtide__ddl_constraint *key = column
                                             ? rowtide__ddl_find_constraint(
                                                   column, ROWTIDE__PRIMARY_KEY)
                                             : NULL;
    if (key)
        return key->autoincrement;
    for (key = ddl->constraints; key; key = key->next)
        if (key->kind == ROWTIDE__PRIMARY_KEY)
            return key->autoincrement;
    return 0;
}

/* Rowids are kept: full-text indexes and programs remember them. */
static void copy_rowid(copying *it, const rowtide__table *old,
                       const rowtide__ddl *ddl)
{
    const char *from = rowtide__table_rowid_name(old);
    const rowtide__ddl_column *column = ddl->without_rowid ? NULL
                                                           : rowid_column(ddl);
    if (!from || ddl->without_rowid)
        return;
    if (!column && free_rowid_name(ddl))
        copy_column(it, free_rowid_name(ddl), from);
    else if (column && !rowtide__table_column(&old->view, column->name))
        copy_column(it, column->name, from);
}

/* No column stays, and there is no rowid to keep: rows stay rows all the same,
 * or it fails. */
static void copy_nothing(copying *it, const rowtide__ddl *ddl)
{
    const rowtide__ddl_column *column = ddl->columns;
    const char *rowid = ddl->without_rowid ? NULL : free_rowid_name(ddl);
    while (column && is_generated(column))
        column = column->next;
    if (!rowid && !column)
        return;
    it->count = 1;
    write_name(&it->write_into, rowid ? rowid : column->name);
    rowtide__write_text(&it->write_from, "NULL");
}

static void copy_columns(copying *it, const rowtide__table *old,
                         const rowtide__ddl *ddl)
{
    copy_rowid(it, old, ddl);
    const rowtide__ddl_column *column = ddl->columns;
    for (; column; column = column->next)
        if (!is_generated(column)
            && rowtide__table_column(&old->view, column->name))
            copy_column(it, column->name, column->name);
    if (it->count == 0)
        copy_nothing(it, ddl);
}

/* Models leave out what begins with "rowtide_", but it may be there: from a
 * rebuild that was written out and run halfway. */
static int is_taken(const rowtide__making *making, const char *name)
{
    const rowtide__abilities *abilities = making->abilities;
    const rowtide__entry *entry = rowtide__schema_entry(making->from, name);
    if (entry && entry->name)
        return 1;
    return abilities->has_name ? abilities->has_name(abilities->user, name) : 0;
}

static int find_spare_name(const rowtide__making *making, const char *name,
                           const char **out)
{
    int taken = 1;
    for (int number = 0; taken > 0; number++) {
        *out = number == 0
                   ? rowtide__arena_sql(making->arena, "rowtide_rebuild_%s",
                                        name)
                   : rowtide__arena_sql(making->arena, "rowtide_rebuild_%s_%d",
                                        name, number);
        taken = *out ? is_taken(making, *out) : ROWTIDE_ENOMEM;
    }
    return taken;
}

static int add_create(const rowtide__making *making, rowtide__list *body,
                      const rowtide__ddl *ddl, const char *spare)
{
    const char *sql = NULL;
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__edit_rename_table(ddl, spare, &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(making->arena, text.data, text.size, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(body, sql);
    rowtide_buffer_dispose(&text);
    return rc;
}

/* A batch goes by the rowid, where the new one is sure to be the old one. */
static int keeps_rowid(const rowtide__table *old, const rowtide__ddl *ddl)
{
    const rowtide_schema_column *a = rowtide__table_rowid_column(old);
    const rowtide__ddl_column *b = ddl->without_rowid ? NULL
                                                      : rowid_column(ddl);
    if (old->view.without_rowid || ddl->without_rowid)
        return 0;
    if (!b)
        return free_rowid_name(ddl) && rowtide__table_rowid_name(old);
    return (a && rowtide__name_equal(a->name, b->name))
           || (rowtide__table_rowid_name(old)
               && !rowtide__table_column(&old->view, b->name));
}

/* OR ABORT, so that no ON CONFLICT of a constraint drops rows or puts in
 * defaults while nobody looks. */
static int add_copy(const rowtide__making *making, rowtide__list *body,
                    const rowtide__table *old, const rowtide__ddl *ddl,
                    const char *spare, rowtide__step *step)
{
    copying it = {.count = 0};
    it.write_into.buffer = &it.into;
    it.write_from.buffer = &it.from;
    copy_columns(&it, old, ddl);
    int rc = it.write_into.rc ? it.write_into.rc : it.write_from.rc;
    const char *sql = NULL;
    step->copy_at = SIZE_MAX;
    if (rc == ROWTIDE_OK && it.count > 0) {
        sql = rowtide__arena_sql(making->arena,
                                 "INSERT OR ABORT INTO \"%w\" (%s)\n"
                                 "SELECT %s FROM \"%w\"",
                                 spare, it.into.data, it.from.data,
                                 old->view.name);
        step->copy_at = body->count;
        rc = rowtide__text_add(body, sql);
    }
    if (rc == ROWTIDE_OK && sql && keeps_rowid(old, ddl)) {
        const char *rowid = rowtide__table_rowid_name(old);
        const rowtide__ddl_column *column = rowid_column(ddl);
        step->copy_some = rowtide__arena_sql(
            making->arena, "%s WHERE \"%w\" > ?1 ORDER BY \"%w\" LIMIT ?2", sql,
            rowid, rowid);
        step->last_copied = rowtide__arena_sql(
            making->arena, "SELECT max(\"%w\") FROM \"%w\"",
            column ? column->name : free_rowid_name(ddl), spare);
        if (!step->copy_some || !step->last_copied)
            rc = ROWTIDE_ENOMEM;
    }
    rowtide_buffer_dispose(&it.into);
    rowtide_buffer_dispose(&it.from);
    return rc;
}

static int add_sequence(const rowtide__making *making, rowtide__list *body,
                        const rowtide__table *old, const char *spare)
{
    int rc = rowtide__text_add(
        body, rowtide__arena_sql(making->arena,
                                 "DELETE FROM sqlite_sequence WHERE name = %Q",
                                 spare));
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(
            body, rowtide__arena_sql(making->arena,
                                     "INSERT INTO sqlite_sequence (name, seq)\n"
                                     "SELECT %Q, seq FROM sqlite_sequence "
                                     "WHERE name = %Q",
                                     spare, old->view.name));
    return rc;
}

static int changes_keys(const rowtide__work *work)
{
    for (size_t i = 0; i < work->rest.count; i++) {
        const rowtide_schema_change *change = work->rest.items[i];
        if (change->object == ROWTIDE_OBJECT_KEY
            && (change->aspect == ROWTIDE_ASPECT_WHOLE
                || change->aspect == ROWTIDE_ASPECT_SQL)
            && change->operation != ROWTIDE_SCHEMA_RENAME)
            return 1;
    }
    return 0;
}

/* DROP TABLE deletes what ANALYZE found out, by the name of the table. The
 * numbers of automatic indexes change with the keys. */
static int add_statistics(const rowtide__making *making,
                          const rowtide__work *work, rowtide__list *body,
                          const char *from, const char *to)
{
    static const char *const tables[] = {"sqlite_stat1", "sqlite_stat4"};
    const rowtide__abilities *abilities = making->abilities;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < 2 && rc == ROWTIDE_OK; i++) {
        if (!(i == 0 ? abilities->stat1 : abilities->stat4))
            continue;
        if (changes_keys(work))
            rc = rowtide__text_add(
                body,
                rowtide__arena_sql(making->arena,
                                   "DELETE FROM %s WHERE tbl = %Q AND idx "
                                   "LIKE 'sqlite!_autoindex!_%%' "
                                   "ESCAPE '!'",
                                   tables[i], from));
        if (rc == ROWTIDE_OK)
            rc = rowtide__text_add(
                body,
                rowtide__arena_sql(making->arena,
                                   "UPDATE %s SET tbl = %Q WHERE tbl = %Q",
                                   tables[i], to, from));
    }
    return rc;
}

static int add_objects(const rowtide__making *making,
                       const rowtide_schema_table *old, rowtide__list *body)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; old->indexes[i] && rc == ROWTIDE_OK; i++)
        if (rowtide__object_stays(making, ROWTIDE_OBJECT_INDEX,
                                  old->indexes[i]->name))
            rc = rowtide__text_add(body, old->indexes[i]->sql);
    for (size_t i = 0; old->triggers[i] && rc == ROWTIDE_OK; i++)
        if (rowtide__object_stays(making, ROWTIDE_OBJECT_TRIGGER,
                                  old->triggers[i]->name))
            rc = rowtide__text_add(body, old->triggers[i]->sql);
    return rc;
}

static int write_body(const rowtide__making *making, const rowtide__work *work,
                      rowtide__step *step)
{
    const rowtide__table *old = step->old_table;
    const char *name = old->view.name;
    rowtide__list body = {.arena = making->arena};
    rowtide__ddl *ddl = NULL;
    int rc = find_spare_name(making, name, &step->spare);
    const char *spare = step->spare;
    if (rc == ROWTIDE_OK)
        rc = read_new(making->arena, step->table_sql, &ddl);
    if (rc == ROWTIDE_OK)
        rc = add_create(making, &body, ddl, spare);
    if (rc == ROWTIDE_OK)
        rc = add_copy(making, &body, old, ddl, spare, step);
    if (rc == ROWTIDE_OK && has_autoincrement(ddl) && old->ddl
        && has_autoincrement(old->ddl))
        rc = add_sequence(making, &body, old, spare);
    if (rc == ROWTIDE_OK)
        rc = add_statistics(making, work, &body, name, spare);
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(
            &body,
            rowtide__arena_sql(making->arena, "DROP TABLE \"%w\"", name));
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(
            &body, rowtide__arena_sql(making->arena,
                                      "ALTER TABLE \"%w\" RENAME TO \"%w\"",
                                      spare, name));
    if (rc == ROWTIDE_OK)
        rc = add_objects(making, &old->view, &body);
    if (rc == ROWTIDE_OK && making->abilities->stat1)
        rc = add_statistics(making, work, &body, spare, name);
    step->body = rowtide__texts_finish(&body);
    return rc;
}

static size_t count_made(const rowtide__making *making,
                         const rowtide_schema_table *old)
{
    size_t count = 0;
    for (size_t i = 0; old->indexes[i]; i++)
        count += !!rowtide__object_stays(making, ROWTIDE_OBJECT_INDEX,
                                         old->indexes[i]->name);
    for (size_t i = 0; old->triggers[i]; i++)
        count += !!rowtide__object_stays(making, ROWTIDE_OBJECT_TRIGGER,
                                         old->triggers[i]->name);
    return count;
}

/* Behind the copy. A step without one is of a table that keeps no column. */
static int add_guard(const rowtide__making *making, const rowtide__step *step,
                     rowtide__list *list)
{
    const char *name = step->old_table->view.name;
    int rc = rowtide__text_add(
        list, "CREATE TEMP TABLE rowtide_rebuilt (done CHECK (done))");
    if (rc != ROWTIDE_OK)
        return rc;
    if (step->copy_at == SIZE_MAX)
        return rowtide__text_add(list,
                                 "INSERT INTO rowtide_rebuilt VALUES (1)");
    return rowtide__text_add(
        list, rowtide__arena_sql(
                  making->arena,
                  "INSERT INTO rowtide_rebuilt\n"
                  "SELECT (SELECT count(*) FROM \"%w\") = "
                  "(SELECT count(*) FROM \"%w\")\n"
                  "   AND NOT (SELECT foreign_keys FROM pragma_foreign_keys)",
                  step->spare, name));
}

static int add_verdict(const rowtide__making *making, const rowtide__step *step,
                       rowtide__list *list)
{
    const rowtide_schema_table *old = &step->old_table->view;
    int rc = rowtide__text_add(
        list, rowtide__arena_sql(making->arena,
                                 "INSERT OR ROLLBACK INTO rowtide_rebuilt\n"
                                 "SELECT count(*) = 1 AND %llu = (\n"
                                 "    SELECT count(*) FROM main.sqlite_schema "
                                 "WHERE sql IS NOT NULL\n"
                                 "    AND type <> 'table' AND tbl_name = %Q "
                                 "COLLATE NOCASE)\n"
                                 "FROM rowtide_rebuilt",
                                 (unsigned long long)count_made(making, old),
                                 old->name));
    return rc == ROWTIDE_OK
               ? rowtide__text_add(list, "DROP TABLE rowtide_rebuilt")
               : rc;
}

static int add_texts(rowtide__list *list, const char *const *texts)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; texts[i] && rc == ROWTIDE_OK; i++)
        rc = rowtide__text_add(list, texts[i]);
    return rc;
}

static int add_guarded(const rowtide__making *making, const rowtide__step *step,
                       rowtide__list *list)
{
    size_t guard_at = step->copy_at == SIZE_MAX ? 0 : step->copy_at;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; step->body[i] && rc == ROWTIDE_OK; i++) {
        rc = rowtide__text_add(list, step->body[i]);
        if (rc == ROWTIDE_OK && i == guard_at)
            rc = add_guard(making, step, list);
    }
    return rc == ROWTIDE_OK ? add_verdict(making, step, list) : rc;
}

/* All of it, for a tool that knows nothing of this. Such as the shell of SQLite
 * it may go on after an error, and would drop a table whose rows were not
 * copied: so the last thing is to roll back unless all of it was done. */
static int write_out(const rowtide__making *making, rowtide__step *step)
{
    static const char *const before[] = {"PRAGMA foreign_keys=OFF",
                                         "BEGIN IMMEDIATE",
                                         "PRAGMA legacy_alter_table=ON", NULL};
    static const char *const after[] = {"PRAGMA legacy_alter_table=OFF",
                                        "PRAGMA foreign_key_check", "COMMIT",
                                        "PRAGMA foreign_keys=ON", NULL};
    rowtide__list list = {.arena = making->arena};
    int rc = add_texts(&list, before);
    if (rc == ROWTIDE_OK)
        rc = add_guarded(making, step, &list);
    if (rc == ROWTIDE_OK)
        rc = add_texts(&list, after);
    step->view.statements = rowtide__texts_finish(&list);
    return rc;
}

int rowtide__rebuild_write(const rowtide__making *making,
                           const rowtide__work *work, rowtide__step *step)
{
    int rc = write_body(making, work, step);
    return rc == ROWTIDE_OK ? write_out(making, step) : rc;
}
