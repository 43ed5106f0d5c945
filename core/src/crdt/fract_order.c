#include "base/error.h"
#include "crdt/fract.h"

#include <string.h>

/* What the triggers are made of. */
typedef struct pieces {
    const char *table;
    const char *order;
    sqlite3_str *list;      /* "l" IS NEW."l" AND ... */
    sqlite3_str *after;     /* "k" = NEW."after_k" AND ... */
    sqlite3_str *is_new;    /* "k" IS NEW."k" AND ... */
    sqlite3_str *is_old;    /* "k" IS OLD."k" AND ... */
    sqlite3_str *fix;       /* , 'l' ..., -1, 'k' ..., NEW."after_k" ... */
    sqlite3_str *fix_after; /* the end of it */
    sqlite3_str *view;      /* , NULL AS "after_k" ... */
    sqlite3_str *columns;   /* "c", ... */
    sqlite3_str *values;    /* NEW."c", ... */
    sqlite3_str *sets;      /* "c" = NEW."c", ... */
} pieces;

enum { PIECE_COUNT = 10 };

static sqlite3_str **piece(pieces *it, int index)
{
    sqlite3_str **all[PIECE_COUNT] = {
        &it->list,      &it->after, &it->is_new,  &it->is_old, &it->fix,
        &it->fix_after, &it->view,  &it->columns, &it->values, &it->sets,
    };
    return all[index];
}

static void pieces_init(pieces *it, const char *table, const char *order)
{
    memset(it, 0, sizeof *it);
    it->table = table ? table : "";
    it->order = order ? order : "";
    for (int i = 0; i < PIECE_COUNT; i++)
        *piece(it, i) = sqlite3_str_new(NULL);
}

static int pieces_status(pieces *it)
{
    for (int i = 0; i < PIECE_COUNT; i++)
        if (sqlite3_str_errcode(*piece(it, i)) != SQLITE_OK)
            return rowtide__nomem();
    return ROWTIDE_OK;
}

static void pieces_dispose(pieces *it)
{
    for (int i = 0; i < PIECE_COUNT; i++)
        sqlite3_free(sqlite3_str_finish(*piece(it, i)));
}

static const char *text_of(sqlite3_str *string)
{
    const char *text = sqlite3_str_value(string);
    return text ? text : "";
}

static int is_among(const char *name, int count, sqlite3_value **values)
{
    for (int i = 0; i < count; i++) {
        const char *other = (const char *)sqlite3_value_text(values[i]);
        if (other && strcmp(name, other) == 0)
            return 1;
    }
    return 0;
}

static void add_column(pieces *it, const char *name)
{
    if (strcmp(name, it->order) == 0)
        return;
    sqlite3_str_appendf(it->columns, "\"%w\", ", name);
    sqlite3_str_appendf(it->values, "NEW.\"%w\", ", name);
    sqlite3_str_appendf(it->sets, "\"%w\" = NEW.\"%w\", ", name, name);
}

static void add_key(pieces *it, const char *name)
{
    const char *and = sqlite3_str_length(it->after) ? " AND " : "";
    sqlite3_str_appendf(it->after, "%s\"%w\" = NEW.\"after_%w\"", and, name,
                        name);
    sqlite3_str_appendf(it->is_new, "%s\"%w\" IS NEW.\"%w\"", and, name, name);
    sqlite3_str_appendf(it->is_old, "%s\"%w\" IS OLD.\"%w\"", and, name, name);
    sqlite3_str_appendf(it->view, ", NULL AS \"after_%w\"", name);
    sqlite3_str_appendf(it->fix, ", %Q", name);
    sqlite3_str_appendf(it->fix_after, ", NEW.\"after_%w\"", name);
}

/* *found counts those of the names that are columns. */
static int read_columns(rowtide__crdt *engine, pieces *it, int count,
                        sqlite3_value **names, int *found)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__crdt_prepare(
        engine, &stmt, "SELECT name FROM pragma_table_info(%Q) ORDER BY cid",
        it->table);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        if (name && is_among(name, count, names))
            ++*found;
        if (name)
            add_column(it, name);
    }
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int read_keys(rowtide__crdt *engine, pieces *it)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT name FROM pragma_table_info(%Q) WHERE pk > 0 ORDER BY pk",
        it->table);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        if (name)
            add_key(it, name);
    }
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static void add_lists(pieces *it, int count, sqlite3_value **values)
{
    for (int i = 0; i < count; i++) {
        const char *name = (const char *)sqlite3_value_text(values[i]);
        sqlite3_str_appendf(it->list, "\"%w\" IS NEW.\"%w\" AND ", name, name);
        sqlite3_str_appendf(it->fix, ", %Q", name);
    }
    sqlite3_str_appendall(it->fix, ", -1");
}

static int drop_old(rowtide__crdt *engine, const char *table)
{
    return rowtide__crdt_exec(
        engine,
        "DROP VIEW IF EXISTS \"%w_fractindex\";"
        "DROP TRIGGER IF EXISTS \"__crsql_%w_fractindex_pend_trig\";"
        "DROP TRIGGER IF EXISTS \"__crsql_%w_fractindex_ezmove\"",
        table, table, table);
}

/* -1 and 1 stand for the first and the last place. */
static int create_end_trigger(rowtide__crdt *engine, pieces *it,
                              const char *name, const char *event,
                              const char *when)
{
    const char *t = it->table, *o = it->order, *list = text_of(it->list);
    return rowtide__crdt_exec(
        engine,
        "CREATE TRIGGER \"__crsql_%w_fractindex_%s\" AFTER %s ON \"%w\" "
        "WHEN %s BEGIN "
        "UPDATE \"%w\" SET \"%w\" = CASE CAST(NEW.\"%w\" AS INTEGER) "
        "WHEN -1 THEN crsql_fract_key_between(NULL, (SELECT min(\"%w\") FROM "
        "\"%w\" WHERE %s\"%w\" <> -1 AND \"%w\" <> 1)) "
        "ELSE crsql_fract_key_between((SELECT max(\"%w\") FROM \"%w\" WHERE "
        "%s\"%w\" <> -1 AND \"%w\" <> 1), NULL) END WHERE %s; END",
        t, name, event, t, when, t, o, o, o, t, list, o, o, o, t, list, o, o,
        text_of(it->is_new));
}

static int create_end_triggers(rowtide__crdt *engine, pieces *it)
{
    const char *o = it->order;
    char *inserted = sqlite3_mprintf("CAST(NEW.\"%w\" AS INTEGER) IN (-1, 1)",
                                     o);
    char *updated = sqlite3_mprintf("NEW.\"%w\" IN (-1, 1, '-1', '1')", o);
    char *event = sqlite3_mprintf("UPDATE OF \"%w\"", o);
    int rc = inserted && updated && event ? ROWTIDE_OK : rowtide__nomem();
    if (rc == ROWTIDE_OK)
        rc = create_end_trigger(engine, it, "pend_trig", "INSERT", inserted);
    if (rc == ROWTIDE_OK)
        rc = create_end_trigger(engine, it, "ezmove", event, updated);
    sqlite3_free(inserted);
    sqlite3_free(updated);
    sqlite3_free(event);
    return rc;
}

static int create_view(rowtide__crdt *engine, pieces *it)
{
    return rowtide__crdt_exec(engine,
                              "CREATE VIEW \"%w_fractindex\" AS SELECT *%s "
                              "FROM \"%w\"",
                              it->table, text_of(it->view), it->table);
}

/* The key behind the row that is named; several may have the same. */
static char *place_after(pieces *it)
{
    const char *t = it->table, *o = it->order;
    const char *list = text_of(it->list), *after = text_of(it->after);
    return sqlite3_mprintf(
        "CASE (SELECT count(*) FROM \"%w\" WHERE %s\"%w\" = (SELECT \"%w\" "
        "FROM \"%w\" WHERE %s)) "
        "WHEN 0 THEN -1 "
        "WHEN 1 THEN crsql_fract_key_between((SELECT \"%w\" FROM \"%w\" "
        "WHERE %s), (SELECT min(\"%w\") FROM \"%w\" WHERE %s\"%w\" > "
        "(SELECT \"%w\" FROM \"%w\" WHERE %s))) "
        "ELSE crsql_fract_fix_conflict_return_old_key(%Q, %Q%s%s) END",
        t, list, o, o, t, after, o, t, after, o, t, list, o, o, t, after, t, o,
        text_of(it->fix), text_of(it->fix_after));
}

static int create_view_triggers(rowtide__crdt *engine, pieces *it)
{
    const char *t = it->table, *o = it->order;
    char *place = place_after(it);
    int rc = place ? ROWTIDE_OK : rowtide__nomem();
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(
            engine,
            "CREATE TRIGGER \"%w_fractindex_insert_trig\" INSTEAD OF INSERT "
            "ON \"%w_fractindex\" BEGIN INSERT INTO \"%w\"(%s\"%w\") "
            "VALUES(%s%s); END",
            t, t, t, text_of(it->columns), o, text_of(it->values), place);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(
            engine,
            "CREATE TRIGGER \"%w_fractindex_update_trig\" INSTEAD OF UPDATE "
            "ON \"%w_fractindex\" BEGIN UPDATE \"%w\" SET %s\"%w\" = %s "
            "WHERE %s; END",
            t, t, t, text_of(it->sets), o, place, text_of(it->is_old));
    sqlite3_free(place);
    return rc;
}

/* *problem is what cr-sqlite says of the step that failed. */
static int create_all(rowtide__crdt *engine, pieces *it, const char **problem)
{
    int has_key = sqlite3_str_length(it->after) > 0;
    *problem = "Failed creating triggers for the base table";
    int rc = drop_old(engine, it->table);
    if (!has_key)
        sqlite3_str_appendall(it->is_new, "0");
    if (rc == ROWTIDE_OK)
        rc = create_end_triggers(engine, it);
    if (rc != ROWTIDE_OK)
        return rc;
    *problem = "Failed creating view for the base table";
    rc = has_key ? create_view(engine, it)
                 : rowtide__fail(ROWTIDE_ESCHEMA, "%s", *problem);
    if (rc != ROWTIDE_OK)
        return rc;
    *problem = "Failed creating triggers for the base table";
    return create_view_triggers(engine, it);
}

static int create_in_savepoint(rowtide__crdt *engine, pieces *it)
{
    const char *problem;
    rowtide__error_state error;
    int rc = rowtide__crdt_exec(engine, "SAVEPOINT rowtide_fract");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = create_all(engine, it, &problem);
    if (rc == ROWTIDE_OK)
        return rowtide__crdt_exec(engine, "RELEASE rowtide_fract");
    if (rc != ROWTIDE_ENOMEM)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "%s", problem);
    rowtide__error_save(&error);
    rowtide__crdt_exec(engine, "ROLLBACK TO rowtide_fract");
    rowtide__crdt_exec(engine, "RELEASE rowtide_fract");
    rowtide__error_restore(&error);
    return rc;
}

static int order_table(rowtide__crdt *engine, pieces *it, int count,
                       sqlite3_value **values)
{
    int found = 0;
    int rc = read_columns(engine, it, count - 1, values + 1, &found);
    if (rc == ROWTIDE_OK && found != count - 1)
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "all columns are not present in the base table");
    if (rc != ROWTIDE_OK)
        return rc;
    add_lists(it, count - 2, values + 2);
    rc = read_keys(engine, it);
    if (rc == ROWTIDE_OK)
        rc = pieces_status(it);
    return rc == ROWTIDE_OK ? create_in_savepoint(engine, it) : rc;
}

void rowtide__fract_as_ordered(sqlite3_context *context, int count,
                               sqlite3_value **values)
{
    pieces it;
    if (count < 2) {
        sqlite3_result_error(context,
                             "Must provide at least 2 arguments -- the table "
                             "name and the column to order by",
                             -1);
        return;
    }
    pieces_init(&it, (const char *)sqlite3_value_text(values[0]),
                (const char *)sqlite3_value_text(values[1]));
    int rc = order_table(sqlite3_user_data(context), &it, count, values);
    pieces_dispose(&it);
    if (rc != ROWTIDE_OK)
        rowtide__crdt_result_error(context, rc);
}
