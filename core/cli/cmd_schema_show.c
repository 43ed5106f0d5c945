#include "schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is shown: everything, or what was named. */
typedef struct selection {
    const rowtide_schema *schema;
    const rowtide_schema_table **tables;
    const rowtide_schema_view **views;
    size_t table_count, view_count;
    rowtide_schema_contents contents; /* of these lists */
} selection;

static void add_table(selection *chosen, const rowtide_schema_table *table)
{
    chosen->tables[chosen->table_count++] = table;
}

static void add_view(selection *chosen, const rowtide_schema_view *view)
{
    chosen->views[chosen->view_count++] = view;
}

static const rowtide_schema_view *find_view(const rowtide_schema *schema,
                                            const char *name)
{
    const rowtide_schema_view *const *views =
        rowtide_schema_contents_of(schema)->views;
    while (*views && strcasecmp((*views)->name, name) != 0)
        views++;
    return *views;
}

static int choose_named(cli_run *cli, selection *chosen)
{
    for (int i = 1; i < cli->argument_count; i++) {
        const char *name = cli->arguments[i];
        const rowtide_schema_table *table = rowtide_schema_find_table(
            chosen->schema, name);
        const rowtide_schema_view *view = find_view(chosen->schema, name);
        if (table)
            add_table(chosen, table);
        else if (view)
            add_view(chosen, view);
        else
            return cli_fail_with(cli, ROWTIDE_ENOTFOUND,
                                 "%s: there is no table or view \"%s\"",
                                 cli->arguments[0], name);
    }
    return CLI_OK;
}

static void choose_all(selection *chosen)
{
    const rowtide_schema_contents *all = rowtide_schema_contents_of(
        chosen->schema);
    for (size_t i = 0; all->tables[i]; i++)
        add_table(chosen, all->tables[i]);
    for (size_t i = 0; all->views[i]; i++)
        add_view(chosen, all->views[i]);
}

static int choose(cli_run *cli, const rowtide_schema *schema, selection *chosen)
{
    const rowtide_schema_contents *all = rowtide_schema_contents_of(schema);
    size_t room = (size_t)cli->argument_count;
    for (size_t i = 0; all->tables[i]; i++)
        room++;
    for (size_t i = 0; all->views[i]; i++)
        room++;
    *chosen = (selection){.schema = schema};
    chosen->tables = calloc(room + 1, sizeof *chosen->tables);
    chosen->views = calloc(room + 1, sizeof *chosen->views);
    if (!chosen->tables || !chosen->views)
        return cli_fail_with(cli, ROWTIDE_ENOMEM, "out of memory");
    chosen->contents = (rowtide_schema_contents){chosen->tables, chosen->views};
    if (cli->argument_count > 1)
        return choose_named(cli, chosen);
    choose_all(chosen);
    return CLI_OK;
}

/* ## People */

static void print_count(FILE *out, size_t count, const char *word,
                        const char *plural, int *first)
{
    if (count == 0)
        return;
    fprintf(out, "%s%zu %s%s", *first ? "" : ", ", count, word,
            count == 1 ? "" : plural);
    *first = 0;
}

static void print_total(cli_page *page, const selection *chosen)
{
    size_t tables = 0, indexes = 0, triggers = 0;
    int first = 1;
    for (size_t i = 0; i < chosen->table_count; i++) {
        const rowtide_schema_table *table = chosen->tables[i];
        tables += table->kind != ROWTIDE_TABLE_SHADOW;
        for (size_t k = 0; table->indexes[k]; k++)
            indexes++;
        for (size_t k = 0; table->triggers[k]; k++)
            triggers++;
    }
    for (size_t i = 0; i < chosen->view_count; i++)
        for (size_t k = 0; chosen->views[i]->triggers[k]; k++)
            triggers++;
    print_count(page->out, tables, "table", "s", &first);
    print_count(page->out, chosen->view_count, "view", "s", &first);
    print_count(page->out, indexes, "index", "es", &first);
    print_count(page->out, triggers, "trigger", "s", &first);
    fputs(first ? "nothing\n" : "\n", page->out);
}

static void print_people(cli_run *cli, cli_page *page, const selection *chosen)
{
    for (size_t i = 0; i < chosen->table_count; i++)
        if (chosen->tables[i]->kind != ROWTIDE_TABLE_SHADOW
            || cli->argument_count > 1)
            cli_print_table(page, chosen->tables[i]);
    for (size_t i = 0; i < chosen->view_count; i++)
        cli_print_view(page, chosen->views[i]);
    if (cli->argument_count == 1 && !cli_has(cli, "quiet"))
        print_total(page, chosen);
}

/* ## Programs */

static void print_statement(FILE *out, const char *sql)
{
    fputs(sql, out);
    /* A comment at the end would hide the semicolon. */
    fputs(strstr(sql, "--") ? "\n;\n" : ";\n", out);
}

static void print_table_sql(FILE *out, const rowtide_schema_table *table)
{
    print_statement(out, table->sql);
    for (size_t i = 0; table->indexes[i]; i++)
        print_statement(out, table->indexes[i]->sql);
    for (size_t i = 0; table->triggers[i]; i++)
        print_statement(out, table->triggers[i]->sql);
}

static void print_chosen_sql(FILE *out, const selection *chosen)
{
    for (size_t i = 0; i < chosen->table_count; i++)
        print_table_sql(out, chosen->tables[i]);
    for (size_t i = 0; i < chosen->view_count; i++) {
        print_statement(out, chosen->views[i]->sql);
        for (size_t k = 0; chosen->views[i]->triggers[k]; k++)
            print_statement(out, chosen->views[i]->triggers[k]->sql);
    }
}

/* A picture of some tables is one of a schema that has these only. */
static int draw_chosen(const selection *chosen, rowtide_buffer *out)
{
    char *sql = NULL;
    size_t size = 0;
    rowtide_schema *part = NULL;
    FILE *text = open_memstream(&sql, &size);
    if (!text)
        return rowtide_error_set(ROWTIDE_ENOMEM, "out of memory");
    for (size_t i = 0; i < chosen->table_count; i++)
        print_statement(text, chosen->tables[i]->sql);
    fclose(text);
    int rc = rowtide_schema_parse(sql, &part);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_svg(part, out);
    rowtide_schema_free(part);
    free(sql);
    return rc;
}

static int render(cli_run *cli, const selection *chosen, rowtide_buffer *out)
{
    int all = cli->argument_count == 1;
    if (cli_has(cli, "svg"))
        return all ? rowtide_schema_svg(chosen->schema, out)
                   : draw_chosen(chosen, out);
    if (cli_has(cli, "sql"))
        return rowtide_schema_print(chosen->schema, out);
    return rowtide_shape_json(rowtide_schema_shape(), &chosen->contents, out);
}

static int print_rendered(cli_run *cli, cli_page *page, const selection *chosen)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    int status = render(cli, chosen, &text) == ROWTIDE_OK ? CLI_OK
                                                          : cli_fail(cli);
    if (status == CLI_OK && text.size > 0)
        fwrite(text.data, 1, text.size, page->out);
    if (status == CLI_OK && !cli_has(cli, "svg") && !cli_has(cli, "sql"))
        fputc('\n', page->out);
    rowtide_buffer_dispose(&text);
    return status;
}

static int show(cli_run *cli, cli_page *page, const selection *chosen)
{
    if (cli_has(cli, "sql") && cli->argument_count > 1) {
        print_chosen_sql(page->out, chosen);
        return CLI_OK;
    }
    if (cli_has(cli, "svg") || cli_has(cli, "sql") || cli_has(cli, "json"))
        return print_rendered(cli, page, chosen);
    print_people(cli, page, chosen);
    return CLI_OK;
}

int cmd_schema_show(cli_run *cli)
{
    rowtide_schema *schema = NULL;
    selection chosen = {0};
    cli_page page = {0};
    int status = cli_read_schema(cli, cli->arguments[0], &schema);
    if (status == CLI_OK)
        status = choose(cli, schema, &chosen);
    if (status == CLI_OK)
        status = cli_page_begin(cli, &page);
    if (status == CLI_OK)
        status = show(cli, &page, &chosen);
    status = cli_page_end(cli, &page, status);
    free(chosen.tables);
    free(chosen.views);
    rowtide_schema_free(schema);
    return status;
}
