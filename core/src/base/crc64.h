#ifndef ROWTIDE_BASE_CRC64_H
#define ROWTIDE_BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* CRC-64/XZ, the checksum of the .xz format: polynomial of ECMA-182,
 * reflected, all ones in and out. "123456789" gives 0x995DC9BBDF1939FA. */

/* Start with 0 and hand in the last result to go on. */
uint64_t rowtide__crc64(uint64_t crc, const void *data, size_t size);

#endif
