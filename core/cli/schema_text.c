#include "schema.h"

#include <stdlib.h>
#include <strings.h>

typedef struct widths {
    size_t name, type;
} widths;

static widths measure(const rowtide_schema_column *const *columns)
{
    widths w = {0, 0};
    for (; *columns; columns++) {
        size_t name = cli_width((*columns)->name);
        size_t type = cli_width((*columns)->type);
        w.name = name > w.name ? name : w.name;
        w.type = type > w.type ? type : w.type;
    }
    return w;
}

static void print_names(FILE *out, const char *const *names)
{
    fputc('(', out);
    for (size_t i = 0; names[i]; i++) {
        fputs(i > 0 ? ", " : "", out);
        cli_print_safe(out, names[i]);
    }
    fputc(')', out);
}

static void print_reference(FILE *out, const rowtide_schema_foreign_key *key)
{
    fputs("references ", out);
    cli_print_safe(out, key->table);
    if (key->table_columns && key->table_columns[0])
        print_names(out, key->table_columns);
    if (key->on_delete)
        fprintf(out, " on delete %s", key->on_delete);
    if (key->on_update)
        fprintf(out, " on update %s", key->on_update);
    if (key->deferral)
        fprintf(out, " %s", key->deferral);
}

static void print_clause(FILE *out, const char *word, const char *sql)
{
    fprintf(out, "  %s ", word);
    cli_print_sql(out, sql, 60);
}

static int is_alone(const char *const *names)
{
    return names[0] && !names[1];
}

static void print_single_keys(FILE *out, const rowtide_schema_table *table,
                              const char *name)
{
    for (size_t i = 0; table->keys[i]; i++) {
        const rowtide_schema_key *key = table->keys[i];
        if (!key->columns[0] || key->columns[1] || !key->columns[0]->name
            || strcasecmp(key->columns[0]->name, name) != 0)
            continue;
        fputs(key->primary ? "  primary key" : "  unique", out);
        fputs(key->autoincrement ? " autoincrement" : "", out);
        if (key->on_conflict)
            fprintf(out, " on conflict %s", key->on_conflict);
    }
}

static void print_single_references(FILE *out,
                                    const rowtide_schema_table *table,
                                    const char *name)
{
    for (size_t i = 0; table->foreign_keys[i]; i++) {
        const rowtide_schema_foreign_key *key = table->foreign_keys[i];
        if (!is_alone(key->columns) || strcasecmp(key->columns[0], name) != 0)
            continue;
        fputs("  ", out);
        print_reference(out, key);
    }
}

static void print_clauses(FILE *out, const rowtide_schema_table *table,
                          const rowtide_schema_column *column)
{
    if (column->not_null)
        fputs("  not null", out);
    if (table)
        print_single_keys(out, table, column->name);
    if (column->collation)
        print_clause(out, "collate", column->collation);
    if (column->default_sql)
        print_clause(out, "default", column->default_sql);
    if (column->generated_as) {
        print_clause(out, "as", column->generated_as);
        fputs(column->stored ? " stored" : "", out);
    }
    if (table)
        print_single_references(out, table, column->name);
    fputs(column->hidden ? "  hidden" : "", out);
}

static void print_columns(cli_page *page, const rowtide_schema_table *table,
                          const rowtide_schema_column *const *columns)
{
    widths w = measure(columns);
    for (; *columns; columns++) {
        fputs("  ", page->out);
        cli_print_safe(page->out, (*columns)->name);
        char *clauses = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&clauses, &size);
        if (!out)
            continue;
        print_clauses(out, table, *columns);
        fclose(out);
        if ((*columns)->type[0] || size > 0)
            cli_pad(page->out, cli_width((*columns)->name), w.name + 2);
        cli_styled(page, CLI_BLUE, (*columns)->type);
        if (size > 0)
            cli_pad(page->out, cli_width((*columns)->type), w.type);
        fputs(clauses, page->out);
        fputc('\n', page->out);
        free(clauses);
    }
}

static void print_parts(FILE *out,
                        const rowtide_schema_indexed_column *const *parts)
{
    fputc('(', out);
    for (size_t i = 0; parts[i]; i++) {
        fputs(i > 0 ? ", " : "", out);
        if (parts[i]->name)
            cli_print_safe(out, parts[i]->name);
        else
            cli_print_sql(out, parts[i]->expression ? parts[i]->expression : "",
                          60);
        if (parts[i]->collation) {
            fputs(" collate ", out);
            cli_print_safe(out, parts[i]->collation);
        }
        fputs(parts[i]->descending ? " desc" : "", out);
    }
    fputc(')', out);
}

static void begin_detail(cli_page *page, const char *word, const char *name)
{
    fputs("  ", page->out);
    cli_styled(page, CLI_FAINT, word);
    fputc(' ', page->out);
    if (name) {
        cli_print_safe(page->out, name);
        fputc(' ', page->out);
    }
}

static void print_constraints(cli_page *page, const rowtide_schema_table *table)
{
    for (size_t i = 0; table->keys[i]; i++) {
        const rowtide_schema_key *key = table->keys[i];
        if (!key->columns[0] || !key->columns[1])
            continue;
        begin_detail(page, key->primary ? "primary key" : "unique", key->name);
        print_parts(page->out, key->columns);
        fputc('\n', page->out);
    }
    for (size_t i = 0; table->foreign_keys[i]; i++) {
        const rowtide_schema_foreign_key *key = table->foreign_keys[i];
        if (is_alone(key->columns))
            continue;
        begin_detail(page, "foreign key", key->name);
        print_names(page->out, key->columns);
        fputc(' ', page->out);
        print_reference(page->out, key);
        fputc('\n', page->out);
    }
    for (size_t i = 0; table->checks[i]; i++) {
        begin_detail(page, "check", table->checks[i]->name);
        fputc('(', page->out);
        cli_print_sql(page->out, table->checks[i]->expression, 90);
        fputs(")\n", page->out);
    }
}

static void print_indexes(cli_page *page, const rowtide_schema_table *table)
{
    for (size_t i = 0; table->indexes[i]; i++) {
        const rowtide_schema_index *index = table->indexes[i];
        begin_detail(page, index->unique ? "unique index" : "index",
                     index->name);
        print_parts(page->out, index->columns);
        if (index->where)
            print_clause(page->out, "where", index->where);
        fputc('\n', page->out);
    }
}

static void print_triggers(cli_page *page,
                           const rowtide_schema_trigger *const *triggers)
{
    for (; *triggers; triggers++) {
        begin_detail(page, "trigger", (*triggers)->name);
        fprintf(page->out, " %s %s\n", (*triggers)->timing, (*triggers)->event);
    }
}

void cli_print_table(cli_page *page, const rowtide_schema_table *table)
{
    cli_styled(page, CLI_BOLD, table->name);
    if (table->kind == ROWTIDE_TABLE_VIRTUAL) {
        cli_styled(page, CLI_FAINT, "  virtual, using ");
        cli_styled(page, CLI_FAINT, table->module ? table->module : "?");
    }
    if (table->kind == ROWTIDE_TABLE_SHADOW)
        cli_styled(page, CLI_FAINT, "  shadow");
    if (table->strict)
        cli_styled(page, CLI_FAINT, "  strict");
    if (table->without_rowid)
        cli_styled(page, CLI_FAINT, "  without rowid");
    fputc('\n', page->out);
    print_columns(page, table, table->columns);
    print_constraints(page, table);
    print_indexes(page, table);
    print_triggers(page, table->triggers);
    fputc('\n', page->out);
}

void cli_print_view(cli_page *page, const rowtide_schema_view *view)
{
    cli_styled(page, CLI_BOLD, view->name);
    cli_styled(page, CLI_FAINT,
               view->columns[0] ? "  view" : "  view, which does not work");
    fputc('\n', page->out);
    print_columns(page, NULL, view->columns);
    print_triggers(page, view->triggers);
    fputc('\n', page->out);
}
