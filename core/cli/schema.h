#ifndef ROWTIDE_CLI_SCHEMA_H
#define ROWTIDE_CLI_SCHEMA_H

#include "cli.h"

/* Shared by the schema commands. */

/* The schema of a database file, or of one with SQL; "-" is SQL on standard
 * input. The first bytes say which it is. */
int cli_read_schema(cli_run *cli, const char *path, rowtide_schema **out);

/* Output that is complete before any of it is written: print to `out`, then
 * finish. */
typedef struct cli_page {
    FILE *out;
    int color;
    char *text;
    size_t size;
} cli_page;

int cli_page_begin(cli_run *cli, cli_page *page);
/* Writes the page where --output says, unless `status` is one of failure.
 * Returns the status. */
int cli_page_end(cli_run *cli, cli_page *page, int status);

typedef enum cli_style {
    CLI_BOLD,
    CLI_FAINT,
    CLI_RED,
    CLI_GREEN,
    CLI_YELLOW,
    CLI_BLUE
} cli_style;

/* Text in a colour, made safe for a terminal. */
void cli_styled(cli_page *page, cli_style style, const char *text);
/* SQL on one line, cut behind `most` characters. */
void cli_print_sql(FILE *out, const char *sql, size_t most);
/* Cells of a terminal, about. */
size_t cli_width(const char *text);
void cli_pad(FILE *out, size_t from, size_t to);

/* Values of --rename; NULL-terminated. `room` is CLI_MAX_GIVEN + 1. */
void cli_renames(cli_run *cli, const char **renames);
int cli_undeclared(cli_run *cli, rowtide_schema_undeclared *out);
/* --allow as flags. */
int cli_allow(cli_run *cli, unsigned *out);

const char *cli_object_word(rowtide_schema_object object);
const char *cli_effect_word(rowtide_schema_effect effect);
cli_style cli_effect_style(rowtide_schema_effect effect);
/* One table or view for people, with a blank line behind it (schema_text.c). */
void cli_print_table(cli_page *page, const rowtide_schema_table *table);
void cli_print_view(cli_page *page, const rowtide_schema_view *view);

/* "users.email", or the name alone where it says where it is. */
void cli_print_place(cli_page *page, rowtide_schema_object object,
                     const char *table, const char *name);

#endif
