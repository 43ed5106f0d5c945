#include "changeset/audit_store.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "changeset/render.h"
#include "changeset/store.h"
#include "db/sql.h"

#include <stdio.h>
#include <string.h>

static const rowtide__store_table tables[] = {
    {"rowtide_audit", "an audit log", "id, time, author, label, changeset",
     "CREATE TABLE main.rowtide_audit("
     "id INTEGER PRIMARY KEY AUTOINCREMENT, "
     "time TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), "
     "author TEXT, label TEXT, changeset BLOB NOT NULL) STRICT;"
     "CREATE INDEX main.rowtide_audit_time ON rowtide_audit(time)"},
    {"rowtide_audit_change", "an audit log",
     "entry, position, table_name, kind, indirect, primary_key, old_values, "
     "new_values",
     "CREATE TABLE main.rowtide_audit_change("
     "entry INTEGER NOT NULL, position INTEGER NOT NULL, "
     "table_name TEXT NOT NULL, kind TEXT NOT NULL, "
     "indirect INTEGER NOT NULL, primary_key TEXT NOT NULL, "
     "old_values TEXT, new_values TEXT, PRIMARY KEY(entry, position)) STRICT;"
     "CREATE INDEX main.rowtide_audit_change_row "
     "ON rowtide_audit_change(table_name, primary_key)"},
};

enum { TABLE_COUNT = 2 };

/* The JSON objects of one change, and the names they are made with. */
typedef struct change_writer {
    rowtide_db *db;
    sqlite3_stmt *insert;
    rowtide__names names;
    int64_t entry;
    int64_t position;
    rowtide_buffer primary_key;
    rowtide_buffer old_values;
    rowtide_buffer new_values;
} change_writer;

/* Which columns an object is to hold. */
typedef enum column_choice {
    KEY_COLUMNS,
    ALL_COLUMNS,
    OTHER_COLUMNS /* those that are not in the key */
} column_choice;

static int is_chosen(const rowtide_change *change, int column,
                     column_choice choice)
{
    if (choice == ALL_COLUMNS)
        return 1;
    return (change->primary_key[column] != 0) == (choice == KEY_COLUMNS);
}

static const char *column_name(const change_writer *writer,
                               const rowtide_change *change, int column,
                               char spare[16])
{
    const char *name = rowtide__names_column(&writer->names, change, column,
                                             spare);
    if (rowtide__utf8_valid(name, strlen(name)))
        return name;
    snprintf(spare, 16, "c%d", column + 1);
    return spare;
}

/* Leaves the buffer empty if there is nothing to say. */
static int write_object(change_writer *writer, const rowtide_change *change,
                        const rowtide_value *values, column_choice choice,
                        rowtide_buffer *out)
{
    rowtide__writer json = {out, ROWTIDE_OK};
    char spare[16];
    int count = 0;
    rowtide__buffer_clear(out);
    for (int i = 0; values && i < change->column_count; i++) {
        if (!is_chosen(change, i, choice)
            || values[i].type == ROWTIDE_UNDEFINED)
            continue;
        const char *name = column_name(writer, change, i, spare);
        rowtide__write_byte(&json, count++ ? ',' : '{');
        rowtide__json_write_string(&json, name, strlen(name));
        rowtide__write_byte(&json, ':');
        rowtide__write_json_value(&json, &values[i]);
    }
    if (count)
        rowtide__write_byte(&json, '}');
    return json.rc;
}

static int write_objects(change_writer *writer, const rowtide_change *change)
{
    const rowtide_value *row = change->old_values ? change->old_values
                                                  : change->new_values;
    int update = change->kind == ROWTIDE_CHANGE_UPDATE;
    int rc = write_object(writer, change, row, KEY_COLUMNS,
                          &writer->primary_key);
    if (rc == ROWTIDE_OK)
        rc = write_object(writer, change, change->old_values,
                          update ? OTHER_COLUMNS : ALL_COLUMNS,
                          &writer->old_values);
    if (rc == ROWTIDE_OK)
        rc = write_object(writer, change, change->new_values,
                          update ? OTHER_COLUMNS : ALL_COLUMNS,
                          &writer->new_values);
    return rc;
}

static rowtide_value object_value(const rowtide_buffer *object)
{
    rowtide_value value = rowtide_value_null();
    if (object->size) {
        value.type = ROWTIDE_TEXT;
        value.data = object->data;
        value.size = object->size;
    }
    return value;
}

static int bind_all(rowtide_db *db, sqlite3_stmt *stmt,
                    const rowtide_value *values, int count)
{
    for (int i = 0; i < count; i++) {
        int rc = rowtide__sql_bind(stmt, i + 1, &values[i]);
        if (rc != SQLITE_OK)
            return rowtide__db_fail(db, rc, "bind");
    }
    return ROWTIDE_OK;
}

static int store_change(change_writer *writer, const rowtide_change *change)
{
    int rc = rowtide__names_load(&writer->names, change);
    if (rc == ROWTIDE_OK)
        rc = write_objects(writer, change);
    if (rc)
        return rc;
    rowtide_value values[] = {
        rowtide_value_integer(writer->entry),
        rowtide_value_integer(writer->position++),
        rowtide_value_text(change->table),
        rowtide_value_text(rowtide_change_kind_name(change->kind)),
        rowtide_value_integer(change->indirect != 0),
        object_value(&writer->primary_key),
        object_value(&writer->old_values),
        object_value(&writer->new_values),
    };
    rc = bind_all(writer->db, writer->insert, values,
                  (int)(sizeof values / sizeof *values));
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_run(writer->db, writer->insert);
    return rc;
}

static int store_each(change_writer *writer, rowtide_changeset *changeset)
{
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc = rowtide_changeset_iter_new(changeset, 0, &iter);
    while (rc == ROWTIDE_OK) {
        rc = rowtide_changeset_iter_next(iter, &change);
        if (rc == ROWTIDE_OK)
            rc = store_change(writer, change);
    }
    rowtide_changeset_iter_free(iter);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int store_changes(rowtide_db *db, rowtide_changeset *changeset,
                         int64_t entry)
{
    change_writer writer = {.db = db, .entry = entry};
    rowtide__names_init(&writer.names, db);
    int rc = rowtide__sql_prepare(db, &writer.insert,
                                  "INSERT INTO main.rowtide_audit_change "
                                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (rc == ROWTIDE_OK)
        rc = store_each(&writer, changeset);
    sqlite3_finalize(writer.insert);
    rowtide__names_dispose(&writer.names);
    rowtide_buffer_dispose(&writer.primary_key);
    rowtide_buffer_dispose(&writer.old_values);
    rowtide_buffer_dispose(&writer.new_values);
    return rc;
}

/* The current time is the default of the column; NULL would not take it. */
static int store_entry(rowtide_db *db, rowtide_changeset *changeset,
                       const rowtide_audit_entry *entry, const char *time)
{
    rowtide_value values[] = {
        rowtide__store_text(entry ? entry->author : NULL),
        rowtide__store_text(entry ? entry->label : NULL),
        rowtide_value_blob(rowtide_changeset_data(changeset),
                           rowtide_changeset_size(changeset)),
        rowtide__store_text(time),
    };
    if (!time)
        return rowtide__store_run(
            db,
            "INSERT INTO main.rowtide_audit(author, label, changeset) "
            "VALUES(?1, ?2, ?3)",
            values, 3);
    return rowtide__store_run(
        db,
        "INSERT INTO main.rowtide_audit(author, label, changeset, time) "
        "VALUES(?1, ?2, ?3, ?4)",
        values, 4);
}

int rowtide__audit_ensure(rowtide_db *db)
{
    return rowtide__store_ensure(db, tables, TABLE_COUNT);
}

int rowtide__audit_store(rowtide_db *db, rowtide_changeset *changeset,
                         const rowtide_audit_entry *entry, int64_t *id)
{
    char time[32];
    int has_time = entry && entry->time;
    int rc = has_time ? rowtide__audit_time(db, entry->time, time) : ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = rowtide__audit_ensure(db);
    if (rc == ROWTIDE_OK)
        rc = store_entry(db, changeset, entry, has_time ? time : NULL);
    if (rc)
        return rc;
    *id = sqlite3_last_insert_rowid(rowtide_db_sqlite(db));
    return store_changes(db, changeset, *id);
}

/* A bare number would be a Julian day, and "12:00" a day in the year 2000. */
int rowtide__audit_time(rowtide_db *db, const char *time, char *out)
{
    sqlite3_stmt *stmt = NULL;
    rowtide_value value = rowtide_value_text(time);
    int rc = rowtide__sql_prepare(
        db, &stmt,
        "SELECT strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', ?1) "
        "WHERE ?1 GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'");
    if (rc == ROWTIDE_OK)
        rc = bind_all(db, stmt, &value, 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_column(stmt, 0, &value);
    if (rc >= 0 && (rc == ROWTIDE_DONE || value.type != ROWTIDE_TEXT))
        rc = rowtide__fail(ROWTIDE_EINVAL, "\"%s\" is not a time", time);
    if (rc == ROWTIDE_OK)
        snprintf(out, 32, "%.*s", (int)value.size, (const char *)value.data);
    sqlite3_finalize(stmt);
    return rc;
}
