#include "crdt/pack.h"

#include "base/error.h"

#include <rowtide/crdt.h>

/* All of it is read, so that no half of a damaged key is taken for one. */
int rowtide_crdt_key_count(const void *pk, size_t pk_size, int64_t *count_out)
{
    rowtide__unpack unpack;
    rowtide_value value;
    ROWTIDE__CHECK_ARG(pk && count_out, "crdt_key_count");
    *count_out = 0;
    int rc = rowtide__unpack_open(&unpack, pk, pk_size);
    while (rc == ROWTIDE_OK) {
        rc = rowtide__unpack_next(&unpack, &value);
        if (rc == ROWTIDE_DONE)
            return ROWTIDE_OK;
        *count_out += rc == ROWTIDE_OK;
    }
    *count_out = 0;
    return rc;
}

int rowtide_crdt_key_value(const void *pk, size_t pk_size, int index,
                           rowtide_value *value)
{
    rowtide__unpack unpack;
    ROWTIDE__CHECK_ARG(pk && value && index >= 0, "crdt_key_value");
    *value = rowtide_value_null();
    int rc = rowtide__unpack_open(&unpack, pk, pk_size);
    for (int i = 0; rc == ROWTIDE_OK && i <= index; i++)
        rc = rowtide__unpack_next(&unpack, value);
    if (rc != ROWTIDE_DONE)
        return rc;
    return rowtide__fail(ROWTIDE_EINVAL,
                         "crdt_key_value: the key has no value %d", index);
}
