#include "base/number.h"
#include "base/alloc.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'e';
}

/* The decimal point of a locale may be any string. */
static void use_dot(char *text)
{
    char *from = text;
    while (is_number_byte(*from))
        from++;
    if (*from == '\0')
        return;
    char *to = from;
    *to++ = '.';
    while (*from && !is_number_byte(*from))
        from++;
    memmove(to, from, strlen(from) + 1);
}

void rowtide__real_digits(double real, int digits, char out[ROWTIDE__REAL_SIZE])
{
    snprintf(out, ROWTIDE__REAL_SIZE - 2, "%.*g", digits, real);
    use_dot(out);
    if (!strpbrk(out, ".e"))
        strcat(out, ".0");
}

static double read_back(const char *text)
{
    double real = 0;
    rowtide__real_parse(text, strlen(text), &real);
    return real;
}

void rowtide__real_format(double real, char out[ROWTIDE__REAL_SIZE])
{
    if (!isfinite(real)) {
        strcpy(out, isnan(real) ? "nan" : real > 0 ? "inf" : "-inf");
        return;
    }
    /* 15 digits always survive in a normal number, so fewer need no try: %g
     * drops the zeros at the end. Subnormal ones have less precision. */
    int digits = fabs(real) < DBL_MIN ? 1 : DBL_DIG;
    do
        rowtide__real_digits(real, digits, out);
    while (digits++ < DBL_DECIMAL_DIG && read_back(out) != real);
}

static double parse_with_point(char *copy, size_t size, const char *point)
{
    char *dot = memchr(copy, '.', size);
    if (dot) {
        size_t length = strlen(point);
        memmove(dot + length, dot + 1, size - (size_t)(dot - copy));
        memcpy(dot, point, length);
    }
    return strtod(copy, NULL);
}

int rowtide__real_parse(const char *text, size_t size, double *out)
{
    char small[64];
    const char *point = localeconv()->decimal_point;
    size_t room = size + strlen(point) + 1;
    char *copy = room <= sizeof small ? small : rowtide__alloc(room);
    if (!copy)
        return 0;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = parse_with_point(copy, size, point);
    if (copy != small)
        rowtide__free(copy);
    return 1;
}
