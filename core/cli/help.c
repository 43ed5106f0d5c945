#include "cli.h"

#include <string.h>

enum { HELP_COLUMN = 26, HELP_WIDTH = 78 };

const cli_command *cli_find(const char *first, const char *second, int *words)
{
    char both[64];
    snprintf(both, sizeof both, "%s %s", first, second ? second : "");
    for (const cli_command *command = cli_commands; command->name; command++) {
        *words = 2;
        if (strcmp(command->name, both) == 0)
            return command;
        *words = 1;
        if (strcmp(command->name, first) == 0)
            return command;
    }
    return NULL;
}

static size_t group_length(const cli_command *command)
{
    return strcspn(command->name, " ");
}

int cli_is_group(const char *word)
{
    size_t length = strlen(word);
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strncmp(command->name, word, length) == 0
            && command->name[length] == ' ')
            return 1;
    return 0;
}

/* Words from column `indent` on, no line longer than the width. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
    int column = indent;
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + length > HELP_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", length, text);
        column += length;
        text += length;
        if (*text == '\n') {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        if (*text)
            text++;
    }
    fputc('\n', out);
}

static void print_option(FILE *out, const cli_option *option)
{
    char left[64];
    char letter[5] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name,
             option->value ? " " : "", option->value ? option->value : "");
    int width = fprintf(out, "%s", left);
    if (width > HELP_COLUMN - 2)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - width, "");
    print_wrapped(out, option->help, HELP_COLUMN);
}

void cli_print_help(FILE *out, const cli_command *command)
{
    fprintf(out, "rowtide %s %s\n\n%s.\n", command->name, command->arguments,
            command->summary);
    if (command->details) {
        fputc('\n', out);
        print_wrapped(out, command->details, 0);
    }
    fputs("\nOptions:\n", out);
    for (const cli_option *option = command->options; option->name; option++)
        print_option(out, option);
    for (const cli_option *option = cli_common_options; option->name; option++)
        print_option(out, option);
}

static void print_summary(FILE *out, const cli_command *command)
{
    fprintf(out, "  %-22s%s\n", command->name, command->summary);
}

void cli_print_overview(FILE *out, const char *group)
{
    const char *last = "";
    if (!group)
        fputs("rowtide: change control for SQLite\n\n"
              "Usage: rowtide COMMAND [OPTIONS] [ARGUMENTS]\n",
              out);
    for (const cli_command *command = cli_commands; command->name; command++) {
        size_t length = group_length(command);
        if (group
            && (strlen(group) != length
                || strncmp(group, command->name, length) != 0))
            continue;
        if (!group && strncmp(last, command->name, length) != 0)
            fputc('\n', out);
        last = command->name;
        print_summary(out, command);
    }
    fputs("\nrowtide help COMMAND says more; rowtide --version prints the "
          "version.\n",
          out);
    if (!group)
        fputs("Exit status: 0 done, 1 failed, 2 wrong usage, 3 a conflict "
              "made it abort.\n",
              out);
}

/* ## The manual page */

static void print_roff(FILE *out, const char *text)
{
    int line_start = 1;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '-')
            fputs("\\-", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else
            fputc(*text, out);
        line_start = *text == '\n';
    }
}

static void print_man_options(FILE *out, const cli_option *option)
{
    for (; option->name; option++) {
        fputs(".TP\n", out);
        if (option->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB\\-\\-", out);
        print_roff(out, option->name);
        fputs("\\fR", out);
        if (option->value)
            fprintf(out, " \\fI%s\\fR", option->value);
        fputc('\n', out);
        print_roff(out, option->help);
        fputc('\n', out);
    }
}

static void print_man_command(FILE *out, const cli_command *command)
{
    fputs(".SS rowtide ", out);
    print_roff(out, command->name);
    fputc(' ', out);
    print_roff(out, command->arguments);
    fputc('\n', out);
    print_roff(out, command->summary);
    fputs(".\n", out);
    if (command->details) {
        fputs(".PP\n", out);
        print_roff(out, command->details);
        fputc('\n', out);
    }
    print_man_options(out, command->options);
}

void cli_print_man(FILE *out)
{
    fprintf(out,
            ".TH ROWTIDE 1 \"\" \"rowtide %s\" \"User Commands\"\n"
            ".SH NAME\nrowtide \\- change control for SQLite\n"
            ".SH SYNOPSIS\n.B rowtide\n.I COMMAND\n[\\fIOPTIONS\\fR] "
            "[\\fIARGUMENTS\\fR]\n.br\n.B rowtide help\n[\\fICOMMAND\\fR]\n"
            ".br\n.B rowtide \\-\\-version\n"
            ".SH DESCRIPTION\nRecords what SQL statements change in an SQLite "
            "database, and shows, applies, inverts, joins, rebases and "
            "converts such changesets; merges databases that were changed "
            "apart. A file name of \\- stands for standard "
            "input or output.\n.SH COMMANDS\n",
            ROWTIDE_VERSION);
    for (const cli_command *command = cli_commands; command->name; command++)
        print_man_command(out, command);
    fputs(".SH COMMON OPTIONS\n", out);
    print_man_options(out, cli_common_options);
    fputs(".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 3 a conflict "
          "made an apply abort. With \\-\\-exit\\-code, "
          "diff answers 0 for the same, 1 for different, 2 for trouble.\n"
          ".SH ENVIRONMENT\n.TP\nNO_COLOR\nNo colours unless "
          "\\-\\-color=always.\n"
          ".SH SEE ALSO\n.BR sqlite3 (1)\n",
          out);
}
