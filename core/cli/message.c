#include "cli.h"

#include <stdarg.h>
#include <string.h>

void cli_json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7F)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

/* C1 controls are two bytes in UTF-8: 0xC2 and 0x80 to 0x9F. */
void cli_print_safe(FILE *out, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7F)
            fprintf(out, "\\x%02x", *c);
        else if (*c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0)
            fprintf(out, "\\u{%x}", *++c);
        else
            fputc(*c, out);
    }
}

static void print_error(const cli_run *cli, int code, const char *message,
                        int64_t offset)
{
    if (cli_has(cli, "json")) {
        fputs("{\"error\":{\"name\":", stderr);
        cli_json_string(stderr, rowtide_error_name(code));
        fprintf(stderr, ",\"code\":%d,\"message\":", code);
        cli_json_string(stderr, message);
        if (offset >= 0)
            fprintf(stderr, ",\"offset\":%lld", (long long)offset);
        fputs("}}\n", stderr);
        return;
    }
    fputs("rowtide: ", stderr);
    if (cli && cli->command)
        fprintf(stderr, "%s: ", cli->command->name);
    cli_print_safe(stderr, message);
    fputc('\n', stderr);
}

int cli_usage(const cli_run *cli, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_error(cli, ROWTIDE_EINVAL, message, -1);
    return CLI_USAGE;
}

static int status_of(int code)
{
    return code == ROWTIDE_ECONFLICT ? CLI_CONFLICT : CLI_FAILED;
}

int cli_fail(const cli_run *cli)
{
    int code = rowtide_error_code();
    print_error(cli, code, rowtide_error_message(), rowtide_error_offset());
    return status_of(code);
}

int cli_fail_with(const cli_run *cli, int code, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_error(cli, code, message, -1);
    return status_of(code);
}

void cli_say(const cli_run *cli, const char *format, ...)
{
    va_list arguments;
    if (cli_has(cli, "quiet") || cli_has(cli, "json"))
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}
