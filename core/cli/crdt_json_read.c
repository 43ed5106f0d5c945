#include "crdt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SQLite reads the JSON; what it has no types for is read here. */

enum {
    FIELD_TABLE,
    FIELD_PK,
    FIELD_COLUMN,
    FIELD_VALUE,
    FIELD_COLUMN_VERSION,
    FIELD_DB_VERSION,
    FIELD_SITE_ID,
    FIELD_CAUSAL_LENGTH,
    FIELD_SEQUENCE
};

static const char *const names[] = {
    "table",      "pk",      "column",        "value",   "column_version",
    "db_version", "site_id", "causal_length", "sequence"};

/* Columns 3 * field: type, value, the JSON itself. */
static const char query[] =
    "WITH line(j) AS (SELECT ?1)"
    "SELECT json_type(j, '$.table'), json_extract(j, '$.table'), "
    "j -> '$.table', json_type(j, '$.pk'), json_extract(j, '$.pk'), NULL, "
    "json_type(j, '$.column'), json_extract(j, '$.column'), "
    "j -> '$.column', json_type(j, '$.value'), json_extract(j, '$.value'), "
    "j -> '$.value', json_type(j, '$.column_version'), "
    "json_extract(j, '$.column_version'), NULL, "
    "json_type(j, '$.db_version'), json_extract(j, '$.db_version'), NULL, "
    "json_type(j, '$.site_id'), json_extract(j, '$.site_id'), NULL, "
    "json_type(j, '$.causal_length'), json_extract(j, '$.causal_length'), "
    "NULL, json_type(j, '$.sequence'), json_extract(j, '$.sequence'), NULL, "
    "json_type(j), (SELECT key FROM json_each(j) WHERE key NOT IN "
    "('table', 'pk', 'column', 'value', 'column_version', 'db_version', "
    "'site_id', 'causal_length', 'sequence') LIMIT 1) FROM line";

static int refuse(const char *name, const char *expected)
{
    char message[128];
    snprintf(message, sizeof message, "\"%s\": %s expected", name, expected);
    return rowtide_error_set(ROWTIDE_ECORRUPT, message);
}

long cli_read_hex(const char *digits, size_t length, unsigned char *out)
{
    static const char all[] = "0123456789abcdef0123456789ABCDEF";
    if (length % 2)
        return -1;
    for (size_t i = 0; i < length; i++) {
        const char *at = digits[i] ? strchr(all, digits[i]) : NULL;
        if (!at)
            return -1;
        unsigned digit = (unsigned)(at - all) % 16;
        out[i / 2] = (unsigned char)(i % 2 ? out[i / 2] | digit : digit << 4);
    }
    return (long)(length / 2);
}

/* ## What a line points into */

static void forget(cli_change_reader *reader)
{
    while (reader->owned_count)
        free(reader->owned[--reader->owned_count]);
}

static char *keep(cli_change_reader *reader, size_t size)
{
    char *data = malloc(size + 1);
    if (!data) {
        rowtide_error_set(ROWTIDE_ENOMEM, "out of memory");
        return NULL;
    }
    data[size] = '\0';
    reader->owned[reader->owned_count++] = data;
    return data;
}

static int column_of(cli_change_reader *reader, int index, rowtide_value *out)
{
    return rowtide_stmt_column(reader->stmt, index, out);
}

static int has_type(cli_change_reader *reader, int field, const char *type)
{
    rowtide_value value;
    return column_of(reader, 3 * field, &value) == ROWTIDE_OK
           && value.type == ROWTIDE_TEXT && value.size == strlen(type)
           && memcmp(value.data, type, value.size) == 0;
}

static int read_hex(cli_change_reader *reader, int field, const void **out,
                    size_t *size)
{
    rowtide_value value;
    *out = NULL;
    *size = 0;
    if (field == FIELD_SITE_ID && has_type(reader, field, "null"))
        return ROWTIDE_OK;
    int rc = column_of(reader, 3 * field + 1, &value);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!has_type(reader, field, "text"))
        return refuse(names[field], "bytes in hexadecimal");
    char *data = keep(reader, value.size / 2);
    if (!data)
        return ROWTIDE_ENOMEM;
    long length = cli_read_hex(value.data, value.size, (unsigned char *)data);
    if (length < 0)
        return refuse(names[field], "bytes in hexadecimal");
    *out = data;
    *size = (size_t)length;
    return ROWTIDE_OK;
}

/* {"text":"ff"}, {"blob":"ff"}, {"real":"inf"}; the type is in the name. */
static int read_wrapped(cli_change_reader *reader, int field,
                        rowtide_value *out)
{
    rowtide_value json;
    int rc = column_of(reader, 3 * field + 2, &json);
    if (rc != ROWTIDE_OK)
        return rc;
    const char *text = json.data;
    size_t size = json.size;
    int is_blob = size >= 11 && memcmp(text, "{\"blob\":\"", 9) == 0;
    int is_text = size >= 11 && memcmp(text, "{\"text\":\"", 9) == 0;
    if (size == 14 && memcmp(text, "{\"real\":\"inf\"}", 14) == 0) {
        *out = rowtide_value_real(INFINITY);
        return ROWTIDE_OK;
    }
    if (size == 15 && memcmp(text, "{\"real\":\"-inf\"}", 15) == 0) {
        *out = rowtide_value_real(-INFINITY);
        return ROWTIDE_OK;
    }
    if ((!is_blob && !is_text) || memcmp(text + size - 2, "\"}", 2) != 0)
        return refuse(names[field], "{\"text\"|\"blob\"|\"real\": ..}");
    char *data = keep(reader, size);
    if (!data)
        return ROWTIDE_ENOMEM;
    long length = cli_read_hex(text + 9, size - 11, (unsigned char *)data);
    if (length < 0)
        return refuse(names[field], "bytes in hexadecimal");
    data[length] = '\0';
    *out = rowtide_value_blob(data, (size_t)length);
    if (is_text)
        out->type = ROWTIDE_TEXT;
    return ROWTIDE_OK;
}

/* SQLite ends such a string where it should not. */
static int has_nul(const rowtide_value *json)
{
    const char *text = json->data;
    for (size_t i = 0; i + 6 <= json->size; i++) {
        if (text[i] != '\\')
            continue;
        if (memcmp(text + i, "\\u0000", 6) == 0)
            return 1;
        i++;
    }
    return 0;
}

static int read_text(cli_change_reader *reader, int field, rowtide_value *out)
{
    rowtide_value json;
    int rc = column_of(reader, 3 * field + 2, &json);
    if (rc != ROWTIDE_OK)
        return rc;
    if (has_nul(&json))
        return refuse(names[field], "{\"text\": hexadecimal} for NUL bytes");
    return column_of(reader, 3 * field + 1, out);
}

static int read_name(cli_change_reader *reader, int field, const char **out)
{
    rowtide_value value;
    int rc = ROWTIDE_OK;
    if (has_type(reader, field, "object"))
        rc = read_wrapped(reader, field, &value);
    else if (has_type(reader, field, "text"))
        rc = read_text(reader, field, &value);
    else
        return refuse(names[field], "a name");
    if (rc != ROWTIDE_OK)
        return rc;
    if (value.type != ROWTIDE_TEXT
        || (value.size && memchr(value.data, 0, value.size)))
        return refuse(names[field], "a name");
    char *name = keep(reader, value.size);
    if (!name)
        return ROWTIDE_ENOMEM;
    if (value.size)
        memcpy(name, value.data, value.size);
    *out = name;
    return ROWTIDE_OK;
}

static int read_integer(cli_change_reader *reader, int field, int64_t *out)
{
    rowtide_value value;
    int rc = column_of(reader, 3 * field + 1, &value);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!has_type(reader, field, "integer") || value.type != ROWTIDE_INTEGER)
        return refuse(names[field], "a whole number of 64 bits");
    *out = value.integer;
    return ROWTIDE_OK;
}

/* SQLite's own reading of decimals may be off by the last bit. */
static int read_real(cli_change_reader *reader, rowtide_value *out)
{
    char digits[512];
    rowtide_value json;
    int rc = column_of(reader, 3 * FIELD_VALUE + 2, &json);
    if (rc != ROWTIDE_OK)
        return rc;
    if (json.size >= sizeof digits)
        return refuse("value", "a number of less than 512 digits");
    memcpy(digits, json.data, json.size);
    digits[json.size] = '\0';
    *out = rowtide_value_real(strtod(digits, NULL));
    return isinf(out->real) ? refuse("value", "a smaller number") : ROWTIDE_OK;
}

static int read_value(cli_change_reader *reader, rowtide_value *out)
{
    *out = rowtide_value_null();
    if (has_type(reader, FIELD_VALUE, "null"))
        return ROWTIDE_OK;
    if (has_type(reader, FIELD_VALUE, "integer")) {
        *out = rowtide_value_integer(0);
        return read_integer(reader, FIELD_VALUE, &out->integer);
    }
    if (has_type(reader, FIELD_VALUE, "real"))
        return read_real(reader, out);
    if (has_type(reader, FIELD_VALUE, "text"))
        return read_text(reader, FIELD_VALUE, out);
    if (has_type(reader, FIELD_VALUE, "object"))
        return read_wrapped(reader, FIELD_VALUE, out);
    return refuse("value", "a value");
}

static int check_members(cli_change_reader *reader)
{
    rowtide_value unknown;
    if (!has_type(reader, FIELD_SEQUENCE + 1, "object"))
        return rowtide_error_set(ROWTIDE_ECORRUPT, "an object expected");
    int rc = column_of(reader, 3 * (FIELD_SEQUENCE + 1) + 1, &unknown);
    if (rc != ROWTIDE_OK || unknown.type != ROWTIDE_TEXT)
        return rc;
    char message[128];
    snprintf(message, sizeof message, "a change has no member \"%.*s\"",
             unknown.size < 80 ? (int)unknown.size : 80,
             (const char *)unknown.data);
    return rowtide_error_set(ROWTIDE_ECORRUPT, message);
}

static int read_members(cli_change_reader *reader)
{
    rowtide_crdt_change *change = &reader->change;
    int rc = check_members(reader);
    if (rc == ROWTIDE_OK)
        rc = read_name(reader, FIELD_TABLE, &change->table);
    if (rc == ROWTIDE_OK)
        rc = read_hex(reader, FIELD_PK, &change->pk, &change->pk_size);
    if (rc == ROWTIDE_OK)
        rc = read_name(reader, FIELD_COLUMN, &change->column);
    if (rc == ROWTIDE_OK)
        rc = read_value(reader, &change->value);
    if (rc == ROWTIDE_OK)
        rc = read_integer(reader, FIELD_COLUMN_VERSION,
                          &change->column_version);
    if (rc == ROWTIDE_OK)
        rc = read_integer(reader, FIELD_DB_VERSION, &change->db_version);
    if (rc == ROWTIDE_OK)
        rc = read_hex(reader, FIELD_SITE_ID, &change->site_id,
                      &change->site_id_size);
    if (rc == ROWTIDE_OK)
        rc = read_integer(reader, FIELD_CAUSAL_LENGTH, &change->causal_length);
    if (rc == ROWTIDE_OK)
        rc = read_integer(reader, FIELD_SEQUENCE, &change->sequence);
    return rc;
}

int cli_change_reader_open(cli_change_reader *reader)
{
    memset(reader, 0, sizeof *reader);
    int rc = rowtide_db_open(":memory:", NULL, &reader->db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_prepare(reader->db, query, &reader->stmt);
    return rc;
}

int cli_change_reader_read(cli_change_reader *reader, const char *line,
                           size_t length)
{
    rowtide_value text = rowtide_value_text("");
    text.data = line;
    text.size = length;
    forget(reader);
    if (!cli_is_text(line, length))
        return rowtide_error_set(ROWTIDE_ECORRUPT, "it is not UTF-8");
    int rc = rowtide_stmt_reset(reader->stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_bind(reader->stmt, 1, &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_step(reader->stmt);
    return rc == ROWTIDE_OK ? read_members(reader) : rc;
}

void cli_change_reader_close(cli_change_reader *reader)
{
    forget(reader);
    rowtide_stmt_free(reader->stmt);
    rowtide_db_free(reader->db);
}
