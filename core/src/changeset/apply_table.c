#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/callback.h"
#include "db/sql.h"

#include <string.h>

static int key_differs(const rowtide__apply_table *table)
{
    int keys = 0;
    for (int i = 0; i < table->column_count; i++) {
        int here = table->info.columns[table->columns[i]].primary_key;
        if (here != table->primary_key[i])
            return 1;
        keys += here != 0;
    }
    return keys != table->info.key_count;
}

int rowtide__apply_table_misfit(const rowtide__apply_table *table,
                                rowtide_buffer *reason)
{
    const char *kind = rowtide__table_kind_fault(table->info.kind);
    if (kind)
        return rowtide__buffer_append_text(reason, kind);
    if (table->info.ordinary_count < table->column_count)
        return rowtide__buffer_append_format(
            reason, "has %d column%s, the changeset %d",
            table->info.ordinary_count,
            table->info.ordinary_count == 1 ? "" : "s", table->column_count);
    if (table->info.key_count == 0)
        return rowtide__buffer_append_text(reason, "has no primary key");
    if (key_differs(table))
        return rowtide__buffer_append_text(
            reason, "has another primary key than the changeset");
    return ROWTIDE_OK;
}

static void free_table(rowtide__apply_table *table)
{
    sqlite3_finalize(table->insert);
    sqlite3_finalize(table->delete);
    sqlite3_finalize(table->select);
    while (table->updates) {
        rowtide__apply_update *update = table->updates;
        table->updates = update->next;
        sqlite3_finalize(update->stmt);
        rowtide__free(update);
    }
    rowtide__table_info_dispose(&table->info);
    rowtide__free(table->name);
    rowtide__free(table->primary_key);
    rowtide__free(table->columns);
    rowtide__free(table);
}

void rowtide__apply_tables_free(rowtide__apply *apply)
{
    while (apply->tables) {
        rowtide__apply_table *table = apply->tables;
        apply->tables = table->next;
        free_table(table);
    }
}

static void map_columns(rowtide__apply_table *table)
{
    int next = 0;
    for (int i = 0; i < table->info.column_count; i++)
        if (!table->info.columns[i].generated && next < table->column_count)
            table->columns[next++] = i;
}

/* 1 to apply the table, 0 to leave it out. */
static int ask_filter(rowtide__apply *apply, const char *name)
{
    if (!apply->options.filter)
        return 1;
    int rc = rowtide__transaction_guard(&apply->transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    int chosen = rowtide__call_table_filter(apply->options.filter,
                                            apply->options.filter_user, name);
    if (chosen < 0)
        return chosen;
    rc = rowtide__apply_still_open(apply);
    return rc != ROWTIDE_OK ? rc : chosen;
}

static int read_table(rowtide__apply *apply, const rowtide_change *change,
                      rowtide__apply_table *table)
{
    size_t count = (size_t)change->column_count;
    table->column_count = change->column_count;
    table->name = rowtide__strdup(change->table);
    table->primary_key = rowtide__memdup(change->primary_key, count);
    table->columns = rowtide__alloc_array(count, sizeof *table->columns);
    if (!table->name || !table->primary_key || !table->columns)
        return ROWTIDE_ENOMEM;
    int chosen = ask_filter(apply, table->name);
    if (chosen < 0)
        return chosen;
    table->skipped = !chosen;
    int rc = rowtide__table_info_read(apply->db, "main", table->name,
                                      &table->info);
    if (rc != ROWTIDE_OK)
        return rc;
    map_columns(table);
    table->line = rowtide__report_add(apply->report, table->name);
    return table->line < 0 ? table->line : ROWTIDE_OK;
}

static int same_shape(const rowtide__apply_table *table,
                      const rowtide_change *change)
{
    return table->column_count == change->column_count
           && memcmp(table->primary_key, change->primary_key,
                     (size_t)change->column_count)
                  == 0;
}

int rowtide__apply_table_find(rowtide__apply *apply,
                              const rowtide_change *change,
                              rowtide__apply_table **out)
{
    rowtide__apply_table **link = &apply->tables;
    for (; *link; link = &(*link)->next)
        if (sqlite3_stricmp((*link)->name, change->table) == 0) {
            *out = *link;
            if (!same_shape(*link, change))
                return rowtide__fail_at(ROWTIDE_ECORRUPT, change->offset,
                                        "changeset: table \"%s\" comes up "
                                        "again with other columns or key",
                                        change->table);
            return ROWTIDE_OK;
        }
    rowtide__apply_table *table = rowtide__alloc_zero(sizeof *table);
    if (!table)
        return ROWTIDE_ENOMEM;
    int rc = read_table(apply, change, table);
    if (rc != ROWTIDE_OK) {
        free_table(table);
        return rc;
    }
    *link = *out = table;
    return ROWTIDE_OK;
}
