#include "schema/diff.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

/* Two constraints of one kind are the same if what is written down here is: in
 * terms of the new names, in lower case, without what is the default. */
typedef struct reader {
    rowtide__diff *diff;
    const rowtide__table *table;
    const rowtide_schema *schema;
    int old;
    rowtide_buffer text;
    rowtide__writer writer;
    rowtide__diff_constraint *items;
    size_t count, room;
} reader;

static void write_folded(reader *r, const char *name)
{
    rowtide__write_byte(&r->writer, '"');
    for (; *name; name++)
        rowtide__write_byte(&r->writer, *name >= 'A' && *name <= 'Z'
                                            ? *name - 'A' + 'a'
                                            : *name);
    rowtide__write_byte(&r->writer, '"');
}

/* What was written since the last time, in the arena. */
static const char *take_text(reader *r)
{
    const char *copy = "";
    if (r->writer.rc == ROWTIDE_OK && r->text.size)
        r->writer.rc = rowtide__name_copy(r->diff->arena, r->text.data,
                                          r->text.size, &copy);
    r->text.size = 0;
    return copy;
}

static void write_column(reader *r, const rowtide__table *table,
                         const char *name)
{
    if (r->old && table)
        name = rowtide__renames_new_column(r->diff->renames, table, name);
    write_folded(r, name);
}

/* ## Keys */

static const char *own_collation(const reader *r, const char *column)
{
    const rowtide_schema_column *found = rowtide__table_column(&r->table->view,
                                                               column);
    return found && found->collation ? found->collation : "BINARY";
}

static void read_key(reader *r, rowtide__diff_constraint *c)
{
    for (size_t i = 0; i < c->ddl->part_count; i++) {
        const rowtide__ddl_part *part = &c->ddl->parts[i];
        if (!part->name)
            continue; /* SQLite takes no expressions here */
        write_column(r, r->table, part->name);
        if (part->collation
            && !rowtide__name_equal(part->collation,
                                    own_collation(r, part->name)))
            write_folded(r, part->collation);
        rowtide__write_text(&r->writer, part->descending ? " desc," : ",");
    }
    c->meaning = take_text(r);
}

/* ## Checks */

static void read_check(reader *r, rowtide__diff_constraint *c)
{
    const char *sql = r->table->ddl->text + c->ddl->body.at;
    size_t size = c->ddl->body.size;
    rowtide_buffer renamed = ROWTIDE_BUFFER_INIT;
    if (r->writer.rc == ROWTIDE_OK && r->old && r->diff->renames->count) {
        r->writer.rc = rowtide__renames_expression(r->diff->renames, r->table,
                                                   sql, size, &renamed);
        sql = renamed.data;
        size = renamed.size;
    }
    if (r->writer.rc == ROWTIDE_OK)
        r->writer.rc = rowtide__sql_normal_of(r->diff->new_table->ddl, sql,
                                              size, &r->text);
    rowtide_buffer_dispose(&renamed);
    c->meaning = take_text(r);
}

/* ## Foreign keys */

static void write_key_of(reader *r, const rowtide__table *parent)
{
    const rowtide_schema_column *const *columns = parent->view.columns;
    for (int64_t place = 1, found = 1; found; place++) {
        found = 0;
        for (size_t i = 0; columns[i] && !found; i++)
            if (columns[i]->primary_key == place) {
                write_column(r, parent, columns[i]->name);
                found = 1;
            }
    }
}

static int is_deferred(const char *deferral)
{
    return deferral && strncmp(deferral, "NOT", 3) != 0
           && strstr(deferral, "INITIALLY DEFERRED");
}

static const char *action_of(const char *action)
{
    return action && strcmp(action, "NO ACTION") != 0 ? action : "";
}

static void read_foreign_key(reader *r, rowtide__diff_constraint *c,
                             const rowtide_schema_foreign_key *key)
{
    const rowtide__table *parent = rowtide__schema_table(r->schema, key->table);
    const rowtide__table *now = NULL;
    if (r->old && parent)
        now = rowtide__renames_new_table(r->diff->renames, key->table);
    for (size_t i = 0; key->columns[i]; i++)
        write_column(r, r->table, key->columns[i]);
    rowtide__write_text(&r->writer, "->");
    write_folded(r, now ? now->view.name : key->table);
    c->meaning = take_text(r);
    for (size_t i = 0; key->table_columns[i]; i++)
        write_column(r, parent, key->table_columns[i]);
    if (!key->table_columns[0] && parent)
        write_key_of(r, parent);
    c->parent = take_text(r);
    int matches = key->match && !rowtide__name_equal(key->match, "SIMPLE");
    rowtide__write_format(&r->writer, "%s|%s|%s", action_of(key->on_delete),
                          action_of(key->on_update),
                          is_deferred(key->deferral) ? "deferred" : "");
    if (matches)
        write_folded(r, key->match);
    c->details = take_text(r);
}

static void read_written_foreign_key(reader *r, rowtide__diff_constraint *c)
{
    rowtide_schema_foreign_key key = {.columns = c->ddl->columns,
                                      .table = c->ddl->table,
                                      .table_columns = c->ddl->table_columns,
                                      .on_delete = c->ddl->on_delete,
                                      .on_update = c->ddl->on_update,
                                      .match = c->ddl->match,
                                      .deferral = c->ddl->deferral};
    read_foreign_key(r, c, &key);
}

/* ## All of a table */

static rowtide__diff_constraint *add_item(reader *r)
{
    if (r->writer.rc == ROWTIDE_OK && r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        rowtide__diff_constraint *items = rowtide__arena_alloc(
            r->diff->arena, room * sizeof *items);
        if (!items) {
            r->writer.rc = ROWTIDE_ENOMEM;
            return NULL;
        }
        if (r->count)
            memcpy(items, r->items, r->count * sizeof *items);
        r->items = items;
        r->room = room;
    }
    if (r->writer.rc != ROWTIDE_OK)
        return NULL;
    rowtide__diff_constraint *item = &r->items[r->count++];
    *item = (rowtide__diff_constraint){
        .meaning = "", .parent = "", .details = ""};
    return item;
}

static void collect(reader *r, const rowtide__ddl_column *column,
                    const rowtide__ddl_constraint *constraint)
{
    for (; constraint; constraint = constraint->next) {
        rowtide__constraint_kind kind = constraint->kind;
        if (kind != ROWTIDE__PRIMARY_KEY && kind != ROWTIDE__UNIQUE
            && kind != ROWTIDE__CHECK && kind != ROWTIDE__FOREIGN_KEY)
            continue;
        rowtide__diff_constraint *item = add_item(r);
        if (!item)
            return;
        item->ddl = constraint;
        item->column = column;
        item->kind = kind;
        item->name = constraint->name;
        if (kind == ROWTIDE__CHECK)
            read_check(r, item);
        else if (kind == ROWTIDE__FOREIGN_KEY)
            read_written_foreign_key(r, item);
        else
            read_key(r, item);
    }
}

static void collect_relations(reader *r)
{
    const rowtide_schema_foreign_key *const *keys = r->table->view.foreign_keys;
    for (size_t i = 0; keys[i]; i++) {
        if (!keys[i]->relation)
            continue;
        rowtide__diff_constraint *item = add_item(r);
        if (!item)
            return;
        item->kind = ROWTIDE__FOREIGN_KEY;
        read_foreign_key(r, item, keys[i]);
    }
}

int rowtide__diff_collect_constraints(rowtide__diff *diff, int old,
                                      rowtide__diff_constraint **out,
                                      size_t *count_out)
{
    const rowtide_schema_difference *difference = diff->difference;
    reader r = {.diff = diff,
                .table = old ? diff->old_table : diff->new_table,
                .schema = old ? difference->from : difference->to,
                .old = old,
                .text = ROWTIDE_BUFFER_INIT};
    r.writer = (rowtide__writer){&r.text, ROWTIDE_OK};
    const rowtide__ddl *ddl = r.table->ddl;
    for (const rowtide__ddl_column *c = ddl->columns; c; c = c->next)
        collect(&r, c, c->constraints);
    collect(&r, NULL, ddl->constraints);
    collect_relations(&r);
    rowtide_buffer_dispose(&r.text);
    *out = r.items;
    *count_out = r.count;
    return r.writer.rc;
}

/* ## As text */

static void write_name(rowtide__writer *writer, const char *name)
{
    if (writer->rc == ROWTIDE_OK)
        writer->rc = rowtide__name_write(name, writer->buffer);
}

static void write_column_key(rowtide__writer *writer,
                             const rowtide__diff_constraint *c)
{
    const rowtide__ddl_constraint *key = c->ddl;
    int primary = c->kind == ROWTIDE__PRIMARY_KEY;
    rowtide__write_text(writer, primary ? "PRIMARY KEY (" : "UNIQUE (");
    write_name(writer, c->column->name);
    if (key->part_count && key->parts[0].descending)
        rowtide__write_text(writer, " DESC");
    if (key->autoincrement)
        rowtide__write_text(writer, " AUTOINCREMENT");
    rowtide__write_text(writer, ")");
    if (key->on_conflict)
        rowtide__write_format(writer, " ON CONFLICT %s", key->on_conflict);
}

/* A constraint of a column, as one of the table. */
static void write_column_constraint(rowtide__writer *writer, const char *text,
                                    const rowtide__diff_constraint *c)
{
    const rowtide__ddl_constraint *ddl = c->ddl;
    if (c->kind == ROWTIDE__CHECK) {
        rowtide__write_text(writer, "CHECK (");
        rowtide__write(writer, text + ddl->body.at, ddl->body.size);
        rowtide__write_text(writer, ")");
    } else if (c->kind == ROWTIDE__FOREIGN_KEY) {
        size_t end = ddl->span.at + ddl->span.size;
        rowtide__write_text(writer, "FOREIGN KEY (");
        write_name(writer, c->column->name);
        rowtide__write_text(writer, ") REFERENCES ");
        rowtide__write(writer, text + ddl->table_span.at,
                       end - ddl->table_span.at);
    } else {
        write_column_key(writer, c);
    }
}

/* Behind "CONSTRAINT name". */
static rowtide__span unnamed_span(const rowtide__ddl *ddl,
                                  const rowtide__ddl_constraint *constraint)
{
    rowtide__span span = constraint->span;
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, ddl->text + span.at, span.size);
    rowtide__token token = rowtide__lexer_next(&lexer);
    if (!constraint->name || !rowtide__token_is(&lexer, &token, "CONSTRAINT"))
        return span;
    rowtide__lexer_next(&lexer);
    token = rowtide__lexer_next(&lexer);
    return (rowtide__span){span.at + token.at, span.size - token.at};
}

const char *
rowtide__diff_constraint_sql(rowtide__diff *diff, const rowtide__table *table,
                             const rowtide__diff_constraint *constraint,
                             int named)
{
    const char *text = table->ddl->text, *sql = NULL;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&buffer, diff->rc};
    if (constraint->name && named) {
        rowtide__write_text(&writer, "CONSTRAINT ");
        write_name(&writer, constraint->name);
        rowtide__write_text(&writer, " ");
    }
    if (constraint->column) {
        write_column_constraint(&writer, text, constraint);
    } else {
        rowtide__span span = unnamed_span(table->ddl, constraint->ddl);
        rowtide__write(&writer, text + span.at, span.size);
    }
    if (writer.rc == ROWTIDE_OK)
        writer.rc = rowtide__name_copy(diff->arena, buffer.data, buffer.size,
                                       &sql);
    rowtide_buffer_dispose(&buffer);
    if (diff->rc == ROWTIDE_OK)
        diff->rc = writer.rc;
    return sql;
}
