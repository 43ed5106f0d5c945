#include "changeset/render.h"
#include "changeset/codec.h"
#include "base/buffer.h"
#include "base/error.h"
#include "changeset/json_value.h"

#include <limits.h>
#include <string.h>

enum { MAX_COLUMNS = 32767, MAX_MEMBERS = 8 };

/* Where the members of an object are. They may stand in any order, so they are
 * found first and read afterwards. */
typedef struct members {
    rowtide__json at[MAX_MEMBERS];
    int present[MAX_MEMBERS];
    rowtide__json start;
} members;

enum { FORMAT, VERSION, KIND, CHANGES };
static const char *const document_members[] = {"format", "version", "kind",
                                               "changes", NULL};

enum {
    CHANGE_TABLE,
    CHANGE_STARTS_TABLE,
    CHANGE_KIND,
    CHANGE_INDIRECT,
    CHANGE_PRIMARY_KEY,
    CHANGE_COLUMNS,
    CHANGE_OLD,
    CHANGE_NEW
};
static const char *const change_members[] = {
    "table",       "starts_table", "kind", "indirect",
    "primary_key", "columns",      "old",  "new"};

/* Where a change stands in the JSON and in the bytes made of it. */
typedef struct place {
    int64_t in_json;
    int64_t in_bytes;
} place;

typedef struct loader {
    int patchset;
    int64_t count;
    rowtide_buffer bytes;  /* the changeset */
    rowtide_buffer places; /* a `place` for each change */
    rowtide_buffer name;   /* of a member, or some other short string */
    rowtide_buffer table, last_table;
    rowtide_buffer key, last_key;
    rowtide_buffer old_data, new_data; /* the bytes of texts and blobs */
    rowtide_buffer old_values, new_values;
} loader;

static int same_bytes(const rowtide_buffer *a, const rowtide_buffer *b)
{
    return a->size == b->size
           && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

static int find_members(loader *load, rowtide__json *reader,
                        const char *const *names, members *found)
{
    int first = 1;
    memset(found->present, 0, sizeof found->present);
    int rc = rowtide__json_begin_object(reader);
    found->start = *reader;
    while (rc == ROWTIDE_OK) {
        rc = rowtide__json_next_member(reader, &first, &load->name);
        if (rc != ROWTIDE_OK)
            break;
        int i = rowtide__json_find_word(&load->name, names, MAX_MEMBERS);
        if (i < 0)
            return rowtide__json_fail(reader, "unknown member \"%.*s\"",
                                      rowtide__json_excerpt(&load->name),
                                      load->name.data);
        if (found->present[i])
            return rowtide__json_fail(reader, "member \"%s\" is there twice",
                                      names[i]);
        found->present[i] = 1;
        found->at[i] = *reader;
        rc = rowtide__json_skip(reader);
    }
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int require(const members *found, const char *const *names, int member)
{
    if (found->present[member])
        return ROWTIDE_OK;
    return rowtide__json_fail(&found->start, "member \"%s\" is missing",
                              names[member]);
}

/* ## Changes */

static int read_key(loader *load, rowtide__json reader)
{
    rowtide__json start = reader;
    int first = 1;
    int64_t number;
    rowtide__buffer_clear(&load->key);
    int rc = rowtide__json_begin_array(&reader);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__json_next_item(&reader, &first)) == ROWTIDE_OK) {
        rc = rowtide__json_read_integer(&reader, &number);
        if (rc == ROWTIDE_OK && (number < 0 || number > UCHAR_MAX))
            return rowtide__json_fail(&reader, "0 to 255 expected");
        if (rc == ROWTIDE_OK)
            rc = rowtide__buffer_append_byte(&load->key, (int)number);
    }
    if (rc != ROWTIDE_DONE)
        return rc;
    if (load->key.size < 1 || load->key.size > MAX_COLUMNS)
        return rowtide__json_fail(&start, "1 to %d columns expected",
                                  MAX_COLUMNS);
    return ROWTIDE_OK;
}

static int read_table(loader *load, rowtide__json reader)
{
    rowtide__json start = reader;
    rowtide_value value;
    rowtide__buffer_clear(&load->table);
    int rc = rowtide__json_read_value(&load->name, &reader, &load->table,
                                      &value);
    if (rc != ROWTIDE_OK)
        return rc;
    if (value.type != ROWTIDE_TEXT || value.size == 0
        || memchr(load->table.data, '\0', value.size))
        return rowtide__json_fail(&start, "the name of a table expected");
    return ROWTIDE_OK;
}

static int read_kind(loader *load, rowtide__json reader,
                     rowtide_change_kind *kind)
{
    static const char *const names[] = {"insert", "update", "delete"};
    static const rowtide_change_kind kinds[] = {
        ROWTIDE_CHANGE_INSERT, ROWTIDE_CHANGE_UPDATE, ROWTIDE_CHANGE_DELETE};
    rowtide__json start = reader;
    int rc = rowtide__json_read_string(&reader, &load->name);
    if (rc != ROWTIDE_OK)
        return rc;
    int i = rowtide__json_find_word(&load->name, names, 3);
    if (i < 0)
        return rowtide__json_fail(
            &start, "\"insert\", \"update\" or \"delete\" expected");
    *kind = kinds[i];
    return ROWTIDE_OK;
}

/* Names of columns are for the reader's eye; the format has no room for
 * them. */
static int check_columns(loader *load, rowtide__json reader)
{
    int first = 1;
    size_t count = 0;
    rowtide_value value;
    rowtide__json start = reader;
    int rc = rowtide__json_begin_array(&reader);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__json_next_item(&reader, &first)) == ROWTIDE_OK) {
        rowtide__buffer_clear(&load->new_data);
        rc = rowtide__json_read_value(&load->name, &reader, &load->new_data,
                                      &value);
        if (rc == ROWTIDE_OK && value.type != ROWTIDE_TEXT)
            return rowtide__json_fail(&reader, "the name of a column expected");
        count++;
    }
    if (rc == ROWTIDE_DONE && count != load->key.size)
        return rowtide__json_fail(&start, "%zu names, but %zu columns", count,
                                  load->key.size);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* `old` and `new` are there when the kind has them, and only then. */
static int check_sides(const members *found, rowtide_change_kind kind)
{
    static const int member[] = {CHANGE_OLD, CHANGE_NEW};
    const rowtide_change_kind without[] = {ROWTIDE_CHANGE_INSERT,
                                           ROWTIDE_CHANGE_DELETE};
    for (int i = 0; i < 2; i++) {
        int rc = ROWTIDE_OK;
        if (kind != without[i])
            rc = require(found, change_members, member[i]);
        else if (found->present[member[i]])
            rc = rowtide__json_fail(&found->at[member[i]],
                                    "this kind of change has no \"%s\"",
                                    change_members[member[i]]);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return ROWTIDE_OK;
}

/* What a patchset has no room for would be lost without a word. */
static int check_patchset(const members *found, const rowtide_change *change)
{
    for (int i = 0; change->old_values && i < change->column_count; i++)
        if (!change->primary_key[i]
            && change->old_values[i].type != ROWTIDE_UNDEFINED)
            return rowtide__json_fail(
                &found->at[CHANGE_OLD],
                "a patchset has no old values but the primary key");
    return ROWTIDE_OK;
}

static int append_table(loader *load, int starts_table)
{
    if (load->count > 0 && !starts_table
        && same_bytes(&load->table, &load->last_table)
        && same_bytes(&load->key, &load->last_key))
        return ROWTIDE_OK;
    rowtide__buffer_clear(&load->last_table);
    rowtide__buffer_clear(&load->last_key);
    int rc = rowtide__buffer_append(&load->last_table, load->table.data,
                                    load->table.size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&load->last_key, load->key.data,
                                    load->key.size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__encode_table(&load->bytes, load->patchset,
                                   load->table.data, (int)load->key.size,
                                   (unsigned char *)load->key.data);
    return rc;
}

static int append_change(loader *load, const members *found,
                         const rowtide_change *change, int starts_table)
{
    place here = {(int64_t)found->start.at - 1, (int64_t)load->bytes.size};
    int rc = load->patchset ? check_patchset(found, change) : ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&load->places, &here, sizeof here);
    if (rc == ROWTIDE_OK)
        rc = append_table(load, starts_table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__encode_change(&load->bytes, load->patchset, change);
    load->count++;
    return rc;
}

static int read_flag(const members *found, int member, int *out)
{
    rowtide__json reader = found->at[member];
    *out = 0;
    return found->present[member] ? rowtide__json_read_boolean(&reader, out)
                                  : ROWTIDE_OK;
}

/* The members that say where and what, before the values. */
static int read_heading(loader *load, const members *found,
                        rowtide_change *change, int *starts_table)
{
    static const int needed[] = {CHANGE_TABLE, CHANGE_KIND, CHANGE_PRIMARY_KEY};
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < 3; i++)
        rc = require(found, change_members, needed[i]);
    if (rc == ROWTIDE_OK)
        rc = read_table(load, found->at[CHANGE_TABLE]);
    if (rc == ROWTIDE_OK)
        rc = read_key(load, found->at[CHANGE_PRIMARY_KEY]);
    if (rc == ROWTIDE_OK)
        rc = read_kind(load, found->at[CHANGE_KIND], &change->kind);
    if (rc == ROWTIDE_OK)
        rc = read_flag(found, CHANGE_INDIRECT, &change->indirect);
    if (rc == ROWTIDE_OK)
        rc = read_flag(found, CHANGE_STARTS_TABLE, starts_table);
    if (rc == ROWTIDE_OK && found->present[CHANGE_COLUMNS])
        rc = check_columns(load, found->at[CHANGE_COLUMNS]);
    return rc == ROWTIDE_OK ? check_sides(found, change->kind) : rc;
}

static int read_change(loader *load, rowtide__json *reader)
{
    members found;
    rowtide_change change = {0};
    int starts_table = 0;
    int rc = find_members(load, reader, change_members, &found);
    if (rc == ROWTIDE_OK)
        rc = read_heading(load, &found, &change, &starts_table);
    if (rc == ROWTIDE_OK && found.present[CHANGE_OLD])
        rc = rowtide__json_read_values(&load->name, found.at[CHANGE_OLD],
                                       load->key.size, &load->old_values,
                                       &load->old_data);
    if (rc == ROWTIDE_OK && found.present[CHANGE_NEW])
        rc = rowtide__json_read_values(&load->name, found.at[CHANGE_NEW],
                                       load->key.size, &load->new_values,
                                       &load->new_data);
    if (rc != ROWTIDE_OK)
        return rc;
    change.table = load->table.data;
    change.column_count = (int)load->key.size;
    change.primary_key = (unsigned char *)load->key.data;
    if (found.present[CHANGE_OLD])
        change.old_values = (void *)load->old_values.data;
    if (found.present[CHANGE_NEW])
        change.new_values = (void *)load->new_values.data;
    return append_change(load, &found, &change, starts_table);
}

static int read_changes(loader *load, rowtide__json reader)
{
    int first = 1;
    int rc = rowtide__json_begin_array(&reader);
    while (rc == ROWTIDE_OK) {
        rc = rowtide__json_next_item(&reader, &first);
        if (rc == ROWTIDE_OK)
            rc = read_change(load, &reader);
    }
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* ## The document */

static int expect_word(loader *load, rowtide__json reader,
                       const char *const *words, int *which)
{
    rowtide__json start = reader;
    int rc = rowtide__json_read_string(&reader, &load->name);
    if (rc != ROWTIDE_OK)
        return rc;
    *which = rowtide__json_find_word(&load->name, words, MAX_MEMBERS);
    if (*which < 0)
        return rowtide__json_fail(&start, "\"%s\" expected, not \"%.*s\"",
                                  words[0], rowtide__json_excerpt(&load->name),
                                  load->name.data);
    return ROWTIDE_OK;
}

static int read_document(loader *load, rowtide__json *reader)
{
    static const char *const format[] = {"rowtide-changeset", NULL};
    static const char *const kinds[] = {"changeset", "patchset", NULL};
    members found;
    int ignored;
    int64_t version = 0;
    int rc = find_members(load, reader, document_members, &found);
    if (rc == ROWTIDE_OK)
        rc = rowtide__json_end(reader);
    for (int i = FORMAT; rc == ROWTIDE_OK && i <= CHANGES; i++)
        rc = require(&found, document_members, i);
    if (rc == ROWTIDE_OK)
        rc = expect_word(load, found.at[FORMAT], format, &ignored);
    rowtide__json at_version = found.at[VERSION];
    if (rc == ROWTIDE_OK)
        rc = rowtide__json_read_integer(&at_version, &version);
    if (rc == ROWTIDE_OK && version != 1)
        rc = rowtide__json_fail(&found.at[VERSION], "version 1 expected");
    if (rc == ROWTIDE_OK)
        rc = expect_word(load, found.at[KIND], kinds, &load->patchset);
    return rc == ROWTIDE_OK ? read_changes(load, found.at[CHANGES]) : rc;
}

/* Say of an error in the bytes which change in the JSON it comes from. */
static int fail_in_change(const loader *load)
{
    const place *places = (const void *)load->places.data;
    rowtide__error_state deeper;
    int64_t last = load->count - 1;
    rowtide__error_save(&deeper);
    if (deeper.code != ROWTIDE_ECORRUPT || last < 0)
        return deeper.code;
    while (last > 0 && places[last].in_bytes > deeper.offset)
        last--;
    return rowtide__fail_at(ROWTIDE_ECORRUPT, places[last].in_json,
                            "JSON at byte %lld: change %lld makes no sense: %s",
                            (long long)places[last].in_json,
                            (long long)last + 1, deeper.message);
}

static void dispose_loader(loader *load)
{
    rowtide_buffer *buffers[] = {
        &load->bytes,      &load->places,     &load->name,      &load->table,
        &load->last_table, &load->key,        &load->last_key,  &load->old_data,
        &load->new_data,   &load->old_values, &load->new_values};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        rowtide_buffer_dispose(buffers[i]);
}

int rowtide_changeset_from_json(const char *json, size_t size,
                                rowtide_changeset **out)
{
    loader load = {0};
    rowtide__json reader;
    ROWTIDE__CHECK_ARG(out, "changeset_from_json");
    *out = NULL;
    ROWTIDE__CHECK_ARG(json || size == 0, "changeset_from_json");
    rowtide__json_open(&reader, json ? json : "", size);
    int rc = read_document(&load, &reader);
    if (rc == ROWTIDE_OK) {
        rc = rowtide__changeset_take(&load.bytes, out);
        if (rc != ROWTIDE_OK)
            rc = fail_in_change(&load);
    }
    dispose_loader(&load);
    return rc;
}
