#ifndef ROWTIDE_CRDT_PACK_H
#define ROWTIDE_CRDT_PACK_H

#include "base/writer.h"

#include <rowtide/value.h>

/* Packed keys: one byte says how many values there are, then each value. */

/* One value, without the count in front. */
void rowtide__pack_value(rowtide__writer *writer, const rowtide_value *value);

/* Reads what is packed, strictly: nothing is read beyond `size`, lengths are
 * checked, bytes behind the last value are an error of the caller's choice. */
typedef struct rowtide__unpack {
    const unsigned char *data;
    size_t size;
    size_t at;
    int left; /* values still to come */
} rowtide__unpack;

/* Both: ROWTIDE_ECORRUPT if the bytes are no packed values. */
int rowtide__unpack_open(rowtide__unpack *unpack, const void *data,
                         size_t size);
/* ROWTIDE_DONE behind the last value. Text and blobs are borrowed. */
int rowtide__unpack_next(rowtide__unpack *unpack, rowtide_value *out);

#endif
