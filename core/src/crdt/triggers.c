#include "crdt/enable.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

/* SQLite's limit for arguments of a function. */
enum { MAX_ARGUMENTS = 127 };

static void write_name(rowtide__writer *writer, const char *prefix,
                       const char *name)
{
    char *quoted = sqlite3_mprintf("%s\"%w\"", prefix, name);
    if (quoted)
        rowtide__write_text(writer, quoted);
    else
        writer->rc = rowtide__nomem();
    sqlite3_free(quoted);
}

static void write_keys(rowtide__writer *writer,
                       const rowtide__crdt_table *table, const char *prefix)
{
    for (int i = 0; i < table->key_count; i++)
        write_name(writer, prefix, table->keys[i]);
}

static void write_columns(rowtide__writer *writer,
                          const rowtide__crdt_table *table, int first,
                          int count, const char *prefix)
{
    for (int i = 0; i < count; i++)
        write_name(writer, prefix, table->columns[first + i].name);
}

static void write_updates(rowtide__writer *writer,
                          const rowtide__crdt_table *table)
{
    int most = (MAX_ARGUMENTS - 2 - 2 * table->key_count) / 2, first = 0;
    do {
        int count = table->column_count - first;
        if (count > most)
            count = most;
        rowtide__write_format(writer, "SELECT crsql_after_update(%lld, %d",
                              (long long)table->id, first);
        write_keys(writer, table, ", new.");
        write_keys(writer, table, ", old.");
        write_columns(writer, table, first, count, ", new.");
        write_columns(writer, table, first, count, ", old.");
        rowtide__write_text(writer, "); ");
        first += count;
    } while (first < table->column_count);
}

static int create_trigger(rowtide__crdt *engine,
                          const rowtide__crdt_table *table, char letter,
                          const char *event)
{
    rowtide_buffer body = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&body, ROWTIDE_OK};
    if (letter == 'u') {
        write_updates(&writer, table);
    } else {
        rowtide__write_format(&writer, "SELECT crsql_after_%s(%lld",
                              letter == 'i' ? "insert" : "delete",
                              (long long)table->id);
        write_keys(&writer, table, letter == 'i' ? ", new." : ", old.");
        rowtide__write_text(&writer, "); ");
    }
    int rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine,
                                "CREATE TRIGGER main.\"%w__crsql_%ctrig\" "
                                "AFTER %s ON \"%w\" %s BEGIN %s END",
                                table->name, letter, event, table->name,
                                letter == 'u' ? "WHEN crsql_is_tracked()" : "",
                                body.data);
    rowtide_buffer_dispose(&body);
    return rc;
}

/* By the collations of the key, which need not be those of its columns. Where
 * all compare bytes, only numbers can be equal to others. */
static int write_equal(rowtide__crdt *engine, const rowtide__crdt_table *table,
                       rowtide__writer *writer)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT iif(max(x.coll <> 'BINARY' COLLATE NOCASE), '', '(' || "
        "group_concat(printf('typeof(new.\"%%w\") IN (''integer'', ''real'')', "
        "x.name), ' OR ') || ') AND ') || "
        "group_concat(printf('\"%%w\" COLLATE \"%%w\" = new.\"%%w\"', "
        "x.name, x.coll, x.name), ' AND ') FROM pragma_index_list(%Q, 'main') "
        "AS i, pragma_index_xinfo(i.name, 'main') AS x "
        "WHERE i.origin = 'pk' AND x.key",
        table->name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, stmt);
    const char *text = rc == ROWTIDE_OK
                           ? (const char *)sqlite3_column_text(stmt, 0)
                           : NULL;
    rowtide__write_text(writer, " WHERE ");
    rowtide__write_text(writer, text ? text : "0");
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : writer->rc;
}

/* For keys that are equal by a collation: twin.h. */
static int create_before(rowtide__crdt *engine,
                         const rowtide__crdt_table *table, int updates)
{
    rowtide_buffer body = ROWTIDE_BUFFER_INIT, of = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&body, ROWTIDE_OK};
    write_keys(&writer, table, ", new.");
    if (updates)
        write_keys(&writer, table, ", old.");
    write_keys(&writer, table, ", ");
    rowtide__write_text(&writer, ") FROM ");
    write_name(&writer, "", table->name);
    int rc = write_equal(engine, table, &writer);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_write_keys(table, &of);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(
            engine,
            "CREATE TRIGGER main.\"%w__crsql_%ctrig\" BEFORE %s %s ON \"%w\" "
            "BEGIN SELECT crsql_before_%s(%lld%s; END",
            table->name, updates ? 'x' : 'b', updates ? "UPDATE OF" : "INSERT",
            updates ? of.data : "", table->name, updates ? "update" : "insert",
            (long long)table->id, body.data);
    rowtide_buffer_dispose(&body);
    rowtide_buffer_dispose(&of);
    return rc;
}

int rowtide__crdt_create_triggers(rowtide__crdt *engine,
                                  const rowtide__crdt_table *table)
{
    int rc = ROWTIDE_OK;
    if (table->folding)
        rc = create_before(engine, table, 0);
    if (rc == ROWTIDE_OK && table->folding)
        rc = create_before(engine, table, 1);
    if (rc == ROWTIDE_OK)
        rc = create_trigger(engine, table, 'i', "INSERT");
    if (rc == ROWTIDE_OK)
        rc = create_trigger(engine, table, 'u', "UPDATE");
    if (rc == ROWTIDE_OK)
        rc = create_trigger(engine, table, 'd', "DELETE");
    return rc;
}

int rowtide__crdt_begin_triggers(rowtide__crdt *engine,
                                 const rowtide__crdt_table *table)
{
    rowtide_buffer fresh = ROWTIDE_BUFFER_INIT, old = ROWTIDE_BUFFER_INIT;
    rowtide__writer to_fresh = {&fresh, ROWTIDE_OK}, to_old = {&old, 0};
    write_keys(&to_fresh, table, ", new.");
    write_keys(&to_old, table, ", old.");
    int rc = to_fresh.rc != ROWTIDE_OK ? to_fresh.rc : to_old.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(
            engine,
            "DROP TRIGGER IF EXISTS main.\"%w__crsql_utrig\"; "
            "CREATE TRIGGER main.\"%w__crsql_mtrig\" BEFORE UPDATE ON \"%w\" "
            "BEGIN SELECT crsql_alter_before(%lld%s); END; "
            "CREATE TRIGGER main.\"%w__crsql_utrig\" AFTER UPDATE ON \"%w\" "
            "BEGIN SELECT crsql_after_update(%lld, 0%s%s); "
            "SELECT crsql_alter_after(%lld%s%s); END",
            table->registered, table->registered, table->name,
            (long long)table->id, old.data, table->registered, table->name,
            (long long)table->id, fresh.data, old.data, (long long)table->id,
            fresh.data, old.data);
    rowtide_buffer_dispose(&fresh);
    rowtide_buffer_dispose(&old);
    return rc;
}

int rowtide__crdt_drop_triggers(rowtide__crdt *engine, const char *name)
{
    return rowtide__crdt_exec(
        engine,
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_itrig\"; "
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_utrig\"; "
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_dtrig\"; "
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_btrig\"; "
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_xtrig\"; "
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_mtrig\"",
        name, name, name, name, name, name);
}
