#include "cli.h"

#include <stdarg.h>
#include <string.h>

/* Decode one character; 0 bytes if it is none. */
static int decode(const unsigned char *c, unsigned *out)
{
    int length = *c < 0x80   ? 1
                 : *c < 0xC2 ? 0
                 : *c < 0xE0 ? 2
                 : *c < 0xF0 ? 3
                             : 4;
    *out = length == 1 ? *c : *c & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((c[i] & 0xC0) != 0x80)
            return 0;
        *out = *out << 6 | (c[i] & 0x3Fu);
    }
    return length;
}

/* Control characters, and those that change the order of others. */
static int is_unsafe(unsigned c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F)
           || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F)
           || c == 0xFEFF || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF);
}

/* JSON is UTF-8: a byte that is not becomes U+FFFD. */
void cli_json_string(FILE *out, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    fputc('"', out);
    while (*c) {
        unsigned character;
        int length = decode(c, &character);
        if (length == 0 || character > 0x10FFFF
            || (character >= 0xD800 && character <= 0xDFFF))
            fputs("\\ufffd", out);
        else if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (is_unsafe(character))
            fprintf(out, "\\u%04x", character);
        else
            fwrite(c, 1, (size_t)length, out);
        c += length ? length : 1;
    }
    fputc('"', out);
}

void cli_print_safe(FILE *out, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    while (*c) {
        unsigned character;
        int length = decode(c, &character);
        if (length == 0)
            fprintf(out, "\\x%02x", *c);
        else if (is_unsafe(character))
            fprintf(out, character < 0x80 ? "\\x%02x" : "\\u{%x}", character);
        else
            fwrite(c, 1, (size_t)length, out);
        c += length ? length : 1;
    }
}

/* The library says "apply: ..." where the command is "apply". */
static const char *without_name(const cli_run *cli, const char *message)
{
    const char *name = strrchr(cli->command->name, ' ');
    name = name ? name + 1 : cli->command->name;
    size_t size = strlen(name);
    return strncmp(message, name, size) == 0
                   && strncmp(message + size, ": ", 2) == 0
               ? message + size + 2
               : message;
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
    if (cli && cli->command) {
        fprintf(stderr, "%s: ", cli->command->name);
        message = without_name(cli, message);
    }
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
