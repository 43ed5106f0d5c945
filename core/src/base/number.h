#ifndef ROWTIDE_BASE_NUMBER_H
#define ROWTIDE_BASE_NUMBER_H

#include <stddef.h>

enum { ROWTIDE__REAL_SIZE = 40 };

/* Both use '.' whatever the locale is. */

/* `digits` significant digits of a finite number, always with '.' or 'e'. */
void rowtide__real_digits(double real, int digits,
                          char out[ROWTIDE__REAL_SIZE]);

/* The shortest text that reads back as the same number; "inf", "-inf" and
 * "nan" for the others. */
void rowtide__real_format(double real, char out[ROWTIDE__REAL_SIZE]);

/* Read a decimal number of `size` bytes, which the caller has found to be
 * well formed. Returns 0 if memory for a very long one runs out. */
int rowtide__real_parse(const char *text, size_t size, double *out);

#endif
