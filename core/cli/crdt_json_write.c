#include "crdt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void cli_print_hex(FILE *out, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
}

static void print_wrapped(FILE *out, const char *type, const void *data,
                          size_t size)
{
    fprintf(out, "{\"%s\":\"", type);
    cli_print_hex(out, data, size);
    fputs("\"}", out);
}

int cli_is_text(const void *data, size_t size)
{
    const unsigned char *c = data, *end = c + size;
    while (c < end) {
        int length = *c < 0x80 ? 1 : *c < 0xE0 ? 2 : *c < 0xF0 ? 3 : 4;
        unsigned least[] = {0, 1, 0x80, 0x800, 0x10000};
        unsigned code = length == 1 ? *c : *c & (0x7Fu >> length);
        if (*c == 0 || (*c >= 0x80 && *c < 0xC2) || *c > 0xF4
            || end - c < length)
            return 0;
        for (int i = 1; i < length; i++) {
            if ((c[i] & 0xC0) != 0x80)
                return 0;
            code = code << 6 | (c[i] & 0x3Fu);
        }
        if (code < least[length] || code > 0x10FFFF
            || (code >= 0xD800 && code <= 0xDFFF))
            return 0;
        c += length;
    }
    return 1;
}

static int print_text(FILE *out, const char *data, size_t size)
{
    if (!cli_is_text(data, size)) {
        print_wrapped(out, "text", data, size);
        return ROWTIDE_OK;
    }
    char *text = malloc(size + 1);
    if (!text)
        return rowtide_error_set(ROWTIDE_ENOMEM, "out of memory");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    cli_json_string(out, text);
    free(text);
    return ROWTIDE_OK;
}

/* The shortest that reads back as the same number, and looks like no integer. */
static void print_real(FILE *out, double real)
{
    char digits[40];
    if (isinf(real)) {
        fprintf(out, "{\"real\":\"%s\"}", real < 0 ? "-inf" : "inf");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, real);
        if (strtod(digits, NULL) == real)
            break;
    }
    fputs(digits, out);
    if (!strpbrk(digits, ".e"))
        fputs(".0", out);
}

static int print_value(FILE *out, const rowtide_value *value)
{
    switch (value->type) {
    case ROWTIDE_INTEGER:
        fprintf(out, "%lld", (long long)value->integer);
        return ROWTIDE_OK;
    case ROWTIDE_REAL:
        print_real(out, value->real);
        return ROWTIDE_OK;
    case ROWTIDE_TEXT:
        return print_text(out, value->data, value->size);
    case ROWTIDE_BLOB:
        print_wrapped(out, "blob", value->data, value->size);
        return ROWTIDE_OK;
    default:
        fputs("null", out);
        return ROWTIDE_OK;
    }
}

static void print_bytes(FILE *out, const char *name, const void *data,
                        size_t size)
{
    fprintf(out, ",\"%s\":", name);
    if (!data) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    cli_print_hex(out, data, size);
    fputc('"', out);
}

int cli_print_change(FILE *out, const rowtide_crdt_change *change)
{
    fputs("{\"table\":", out);
    int rc = print_text(out, change->table, strlen(change->table));
    print_bytes(out, "pk", change->pk, change->pk_size);
    fputs(",\"column\":", out);
    if (rc == ROWTIDE_OK)
        rc = print_text(out, change->column, strlen(change->column));
    fputs(",\"value\":", out);
    if (rc == ROWTIDE_OK)
        rc = print_value(out, &change->value);
    fprintf(out, ",\"column_version\":%lld,\"db_version\":%lld",
            (long long)change->column_version, (long long)change->db_version);
    print_bytes(out, "site_id", change->site_id, change->site_id_size);
    fprintf(out, ",\"causal_length\":%lld,\"sequence\":%lld}\n",
            (long long)change->causal_length, (long long)change->sequence);
    return rc;
}
