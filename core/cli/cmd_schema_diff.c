#include "schema.h"

#include <stdlib.h>
#include <string.h>

/* ## One change */

static const char MARKS[] = {'+', '-', '~', '>'};

static cli_style mark_style(rowtide_schema_operation operation)
{
    static const cli_style STYLES[] = {CLI_GREEN, CLI_RED, CLI_YELLOW,
                                       CLI_BLUE};
    return STYLES[operation];
}

static const char *aspect_word(rowtide_schema_aspect aspect)
{
    static const char *const WORDS[] = {
        "",          "type",          "not null",      "default",
        "collation", "generated",     "autoincrement", "on conflict",
        "strict",    "without rowid", "order",         "definition"};
    return WORDS[aspect];
}

static void print_value(FILE *out, const char *sql)
{
    if (sql)
        cli_print_sql(out, sql[0] ? sql : "none", 40);
    else
        fputs("none", out);
}

static int is_whole_table(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_TABLE
           || change->object == ROWTIDE_OBJECT_VIEW
           || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE;
}

/* What is added or removed is told in SQL, if that is short. */
static void print_definition(FILE *out, const rowtide_schema_change *change)
{
    const char *sql = change->operation == ROWTIDE_SCHEMA_ADD ? change->to
                                                              : change->from;
    if (change->object != ROWTIDE_OBJECT_COLUMN || !sql || !change->name)
        return;
    size_t length = strlen(change->name);
    if (strncmp(sql, change->name, length) == 0 && sql[length] == ' ')
        sql += length + 1;
    if (strcmp(sql, change->name) == 0)
        return;
    fputc(' ', out);
    cli_print_sql(out, sql, 60);
}

/* A constraint without a name is called by its SQL, which says what it is. */
static void print_object(FILE *out, const rowtide_schema_change *change,
                         const char *name)
{
    int is_constraint = change->object == ROWTIDE_OBJECT_KEY
                        || change->object == ROWTIDE_OBJECT_CHECK
                        || change->object == ROWTIDE_OBJECT_FOREIGN_KEY;
    if (!is_constraint || !strchr(name, '('))
        fprintf(out, "%s ", cli_object_word(change->object));
}

static void print_what(FILE *out, const rowtide_schema_change *change)
{
    const char *name = change->name ? change->name : change->table;
    print_object(out, change, name);
    if (change->operation == ROWTIDE_SCHEMA_RENAME) {
        cli_print_sql(out, change->from ? change->from : name, 60);
        fputs(" \xE2\x86\x92 ", out);
        cli_print_sql(out, change->to ? change->to : name, 60);
        return;
    }
    cli_print_sql(out, name, 60);
    if (change->operation != ROWTIDE_SCHEMA_CHANGE) {
        print_definition(out, change);
        return;
    }
    if (change->aspect == ROWTIDE_ASPECT_NOT_NULL) {
        fputs(change->to && change->to[0] ? ": not null" : ": may be null",
              out);
        return;
    }
    fprintf(out, ": %s", aspect_word(change->aspect));
    if (change->aspect == ROWTIDE_ASPECT_SQL)
        return;
    fputc(' ', out);
    print_value(out, change->from);
    fputs(" \xE2\x86\x92 ", out);
    print_value(out, change->to);
}

static char *format_what(const rowtide_schema_change *change)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    print_what(out, change);
    fclose(out);
    return text;
}

enum { WHAT_WIDTH = 52 };

static void print_change(cli_page *page, const rowtide_schema_change *change,
                         const char *what)
{
    char mark[3] = {MARKS[change->operation], ' ', '\0'};
    fputs(is_whole_table(change) ? "" : "  ", page->out);
    cli_styled(page, mark_style(change->operation), mark);
    fputs(what, page->out);
    size_t indent = is_whole_table(change) ? 0 : 2;
    cli_pad(page->out, cli_width(what) + indent, WHAT_WIDTH);
    fputs("  ", page->out);
    cli_styled(page, cli_effect_style(change->effect),
               cli_effect_word(change->effect));
    if (change->unknown)
        cli_styled(page, CLI_YELLOW, ", unknown");
    if (change->note) {
        fputs(": ", page->out);
        cli_styled(page, CLI_FAINT, change->note);
    }
    fputc('\n', page->out);
}

/* ## All of them, table by table */

static int same_table(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static void print_total(cli_page *page, const rowtide_schema_changes *changes)
{
    size_t counts[ROWTIDE_EFFECT_DESTRUCTIVE + 1] = {0}, total = 0;
    const char *between = ": ";
    for (; changes->changes[total]; total++)
        counts[changes->changes[total]->effect]++;
    fprintf(page->out, "\n%zu change%s", total, total == 1 ? "" : "s");
    for (int i = 0; i <= ROWTIDE_EFFECT_DESTRUCTIVE; i++) {
        if (!counts[i])
            continue;
        fprintf(page->out, "%s%zu %s", between, counts[i],
                cli_effect_word((rowtide_schema_effect)i));
        between = ", ";
    }
    fputc('\n', page->out);
}

static void print_changes(cli_run *cli, cli_page *page,
                          const rowtide_schema_changes *changes)
{
    const char *table = NULL;
    for (size_t i = 0; changes->changes[i]; i++) {
        const rowtide_schema_change *change = changes->changes[i];
        char *what = format_what(change);
        if (!what)
            continue;
        if (!is_whole_table(change) && !same_table(table, change->table)) {
            cli_styled(page, CLI_BOLD, change->table ? change->table : "");
            fputc('\n', page->out);
        }
        table = change->table;
        print_change(page, change, what);
        free(what);
    }
    if (!cli_has(cli, "quiet") && changes->changes[0])
        print_total(page, changes);
    else if (!cli_has(cli, "quiet"))
        fputs("no changes\n", page->out);
}

static int print_json(cli_run *cli, cli_page *page,
                      const rowtide_schema_changes *changes)
{
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_shape_json(rowtide_schema_difference_shape(), changes,
                                &json);
    if (rc == ROWTIDE_OK)
        fprintf(page->out, "%s\n", json.data);
    rowtide_buffer_dispose(&json);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* ## Both sides */

static int compare(cli_run *cli, rowtide_schema_difference **out)
{
    const char *renames[CLI_MAX_GIVEN + 1];
    rowtide_schema *from = NULL, *to = NULL;
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    cli_renames(cli, renames);
    options.renames = renames;
    options.column_order = cli_has(cli, "column-order");
    int status = cli_undeclared(cli, &options.undeclared);
    if (status == CLI_OK)
        status = cli_read_schema(cli, cli->arguments[0], &from);
    if (status == CLI_OK)
        status = cli_read_schema(cli, cli->arguments[1], &to);
    if (status == CLI_OK
        && rowtide_schema_diff(from, to, &options, out) != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_schema_free(from);
    rowtide_schema_free(to);
    return status;
}

int cmd_schema_diff(cli_run *cli)
{
    rowtide_schema_difference *difference = NULL;
    const rowtide_schema_changes *changes = NULL;
    cli_page page = {0};
    int status = compare(cli, &difference);
    if (status == CLI_OK)
        status = cli_page_begin(cli, &page);
    if (status == CLI_OK) {
        changes = rowtide_schema_difference_changes(difference);
        if (cli_has(cli, "json"))
            status = print_json(cli, &page, changes);
        else
            print_changes(cli, &page, changes);
    }
    status = cli_page_end(cli, &page, status);
    if (cli_has(cli, "exit-code"))
        status = status != CLI_OK ? CLI_USAGE : changes->changes[0] != NULL;
    rowtide_schema_difference_free(difference);
    return status;
}

/* ## generate */

static int write_file(cli_run *cli, const char *path, const rowtide_buffer *sql)
{
    rowtide_sink *sink = NULL;
    int rc = rowtide_sink_file(path, &sink);
    if (rc == ROWTIDE_OK && sql->size > 0)
        rc = rowtide_sink_write(sink, sql->data, sql->size);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_sink_free(sink);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

static void print_both_json(const rowtide_buffer *up,
                            const rowtide_buffer *down)
{
    fputs("{\"up\":", stdout);
    cli_json_string(stdout, up->data ? up->data : "");
    fputs(",\"down\":", stdout);
    cli_json_string(stdout, down->data ? down->data : "");
    puts("}");
}

static int write_both(cli_run *cli, const rowtide_buffer *up,
                      const rowtide_buffer *down)
{
    const char *up_path = cli_value(cli, "up");
    const char *down_path = cli_value(cli, "down");
    int status = CLI_OK;
    if (up_path)
        status = write_file(cli, up_path, up);
    if (status == CLI_OK && down_path)
        status = write_file(cli, down_path, down);
    if (up_path || down_path)
        return status;
    printf("-- up\n%s\n-- down\n%s", up->data, down->data ? down->data : "");
    return CLI_OK;
}

int cmd_schema_generate(cli_run *cli)
{
    rowtide_schema_difference *difference = NULL;
    rowtide_buffer up = ROWTIDE_BUFFER_INIT, down = ROWTIDE_BUFFER_INIT;
    int status = compare(cli, &difference);
    if (status == CLI_OK
        && (rowtide_schema_generate(difference, ROWTIDE_SCHEMA_UP, &up)
                != ROWTIDE_OK
            || rowtide_schema_generate(difference, ROWTIDE_SCHEMA_DOWN, &down)
                   != ROWTIDE_OK))
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        print_both_json(&up, &down);
    else if (status == CLI_OK && up.size == 0)
        cli_say(cli, "no changes\n");
    else if (status == CLI_OK)
        status = write_both(cli, &up, &down);
    rowtide_buffer_dispose(&up);
    rowtide_buffer_dispose(&down);
    rowtide_schema_difference_free(difference);
    return status;
}
