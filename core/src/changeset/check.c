#include "changeset/decode.h"
#include "changeset/bytes.h"

static int fault_in(rowtide__decoder *decoder, const unsigned char *at,
                    const char *fault)
{
    decoder->fault_at = at;
    decoder->fault = fault;
    decoder->missing = 0;
    return 0;
}

static int has_value(const rowtide_value *value)
{
    return value->type != ROWTIDE_UNDEFINED && value->type != ROWTIDE_NULL;
}

static int check_key(rowtide__decoder *decoder, const rowtide_value *values)
{
    const rowtide__table *table = decoder->table;
    for (int i = 0; i < table->key_count; i++)
        if (!has_value(&values[table->key_columns[i]]))
            return fault_in(decoder, decoder->record,
                            "a primary key value is missing or NULL");
    return 1;
}

static int check_defined(rowtide__decoder *decoder, const rowtide_value *values)
{
    int count = decoder->table->column_count;
    for (int i = 0; i < count; i++)
        if (values[i].type == ROWTIDE_UNDEFINED)
            return fault_in(decoder, decoder->record,
                            "an INSERT or DELETE lacks a value");
    return 1;
}

/* SQLite's own rebaser repeats the key in the new record; anything else than
 * the same key there is no UPDATE. */
static int check_update(rowtide__decoder *decoder)
{
    const rowtide__table *table = decoder->table;
    const unsigned char *old_at = decoder->record, *new_at = decoder->second;
    for (int i = 0; i < table->column_count; i++) {
        const unsigned char *old_end = rowtide__skip_value(old_at);
        const unsigned char *new_end = rowtide__skip_value(new_at);
        size_t size = (size_t)(old_end - old_at);
        if (table->primary_key[i]) {
            if (*new_at
                && ((size_t)(new_end - new_at) != size
                    || memcmp(old_at, new_at, size) != 0))
                return fault_in(decoder, new_at,
                                "an UPDATE changes the primary key");
        } else if (!*old_at != !*new_at) {
            return fault_in(decoder, *old_at ? new_at : old_at,
                            "an UPDATE has only one of an old and a new value");
        }
        old_at = old_end;
        new_at = new_end;
    }
    return 1;
}

/* Runs before the key of a patchset's UPDATE is moved to its old values. */
int rowtide__check_change(rowtide__decoder *decoder)
{
    int kind = (int)decoder->change.kind;
    const rowtide_value *first = decoder->values;
    if (!check_key(decoder, first))
        return 0;
    if (decoder->flags & ROWTIDE__DECODE_REBASE)
        return 1;
    if (kind == ROWTIDE_CHANGE_UPDATE)
        return decoder->patchset || check_update(decoder);
    if (kind == ROWTIDE_CHANGE_DELETE && decoder->patchset)
        return 1;
    return check_defined(decoder, first);
}
