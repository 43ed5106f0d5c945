#include "crdt/fract.h"

#include <string.h>

enum {
    FIRST_DIGIT = ' ',
    LAST_DIGIT = '~',
    BASE = LAST_DIGIT - FIRST_DIGIT + 1
};

/* "A" and 26 digits, each the least there is. */
enum { LONGEST_WHOLE = 27 };

static int is_digit(char c)
{
    return c >= FIRST_DIGIT && c <= LAST_DIGIT;
}

static int compare(rowtide__digits a, rowtide__digits b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static rowtide__digits skip(rowtide__digits key, size_t count)
{
    if (count > key.size)
        count = key.size;
    return (rowtide__digits){key.data + count, key.size - count};
}

static int is_least(rowtide__digits whole)
{
    if (whole.size != LONGEST_WHOLE || whole.data[0] != 'A')
        return 0;
    for (size_t i = 1; i < whole.size; i++)
        if (whole.data[i] != FIRST_DIGIT)
            return 0;
    return 1;
}

static const char *whole_part(rowtide__digits key, rowtide__digits *out)
{
    size_t size;
    char head = key.size ? key.data[0] : 0;
    if (head >= 'a' && head <= 'z')
        size = (size_t)(head - 'a') + 2;
    else if (head >= 'A' && head <= 'Z')
        size = (size_t)('Z' - head) + 2;
    else
        return "head is out of range";
    if (size > key.size)
        return "integer part of key is too long";
    for (size_t i = 1; i < size; i++)
        if (key.data[i] & 0x80)
            return "invalid digit";
    *out = (rowtide__digits){key.data, size};
    return NULL;
}

static const char *check_key(rowtide__digits key, rowtide__digits *whole)
{
    const char *problem = whole_part(key, whole);
    if (problem)
        return problem;
    if (is_least(key))
        return "Key is too small";
    if (key.size > whole->size && key.data[key.size - 1] == FIRST_DIGIT)
        return "Fractional part should not end with ' ' (space)";
    return NULL;
}

/* The next whole number, up or down. *size is 0 if there is none. */
static const char *step_whole(rowtide__digits whole, int up, char *out,
                              size_t *size)
{
    char full = up ? LAST_DIGIT : FIRST_DIGIT;
    char empty = up ? FIRST_DIGIT : LAST_DIGIT;
    size_t i = whole.size - 1;
    memcpy(out, whole.data, whole.size);
    *size = whole.size;
    for (; i > 0 && out[i] == full; i--)
        out[i] = empty;
    if (i > 0) {
        if (!is_digit(out[i]))
            return "invalid digit";
        out[i] = (char)(out[i] + (up ? 1 : -1));
        return NULL;
    }
    char head = out[0];
    if (head == (up ? 'z' : 'A')) {
        *size = 0;
    } else if (head == (up ? 'Z' : 'a')) {
        out[0] = up ? 'a' : 'Z';
    } else {
        out[0] = (char)(head + (up ? 1 : -1));
        if ((head >= 'a') == up)
            out[(*size)++] = empty;
        else
            (*size)--;
    }
    return NULL;
}

static void write_digits(rowtide__writer *out, rowtide__digits digits)
{
    rowtide__write(out, digits.data, digits.size);
}

/* A fraction above `a`, which has no bound above it. */
static const char *write_above(rowtide__digits a, rowtide__writer *out)
{
    for (;;) {
        char digit = a.size ? a.data[0] : FIRST_DIGIT;
        if (!is_digit(digit))
            return "midpoint - a has invalid digits";
        int low = digit - FIRST_DIGIT;
        if (BASE - low > 1) {
            rowtide__write_byte(out, FIRST_DIGIT + (low + BASE + 1) / 2);
            return NULL;
        }
        rowtide__write_byte(out, digit);
        a = skip(a, 1);
    }
}

/* A fraction between two that have no more in common. */
static const char *write_middle(rowtide__digits a, rowtide__digits b,
                                rowtide__writer *out)
{
    char from = a.size ? a.data[0] : FIRST_DIGIT;
    if (!is_digit(from))
        return "midpoint - a has invalid digits";
    if (!is_digit(b.data[0]))
        return "midpoint - b has invalid digits";
    int low = from - FIRST_DIGIT, high = b.data[0] - FIRST_DIGIT;
    if (high - low > 1) {
        rowtide__write_byte(out, FIRST_DIGIT + (low + high + 1) / 2);
        return NULL;
    }
    if (b.size > 1) {
        rowtide__write_byte(out, b.data[0]);
        return NULL;
    }
    rowtide__write_byte(out, from);
    return write_above(skip(a, 1), out);
}

static const char *write_fraction(rowtide__digits a, rowtide__digits b,
                                  rowtide__writer *out)
{
    size_t same = 0;
    while (same < b.size
           && (same < a.size ? a.data[same] : FIRST_DIGIT) == b.data[same])
        same++;
    rowtide__write(out, b.data, same);
    b = skip(b, same);
    if (b.size == 0)
        return "midpoint - a must be before b";
    return write_middle(skip(a, same), b, out);
}

static const char *between_two(rowtide__digits a, rowtide__digits a_whole,
                               rowtide__digits b, rowtide__digits b_whole,
                               rowtide__writer *out)
{
    char next[LONGEST_WHOLE + 1];
    rowtide__digits fraction = skip(a, a_whole.size), whole = {next, 0};
    if (compare(a, b) >= 0)
        return "key_between - a must be before b";
    if (compare(a_whole, b_whole) == 0) {
        write_digits(out, a_whole);
        return write_fraction(fraction, skip(b, b_whole.size), out);
    }
    const char *problem = step_whole(a_whole, 1, next, &whole.size);
    if (problem)
        return problem;
    if (whole.size == 0)
        return "Cannot increment anymore";
    if (compare(whole, b) < 0) {
        write_digits(out, whole);
        return NULL;
    }
    write_digits(out, a_whole);
    return write_above(fraction, out);
}

static const char *below(rowtide__digits b, rowtide__digits whole,
                         rowtide__writer *out)
{
    char next[LONGEST_WHOLE + 1];
    rowtide__digits result = {next, 0}, none = {"", 0};
    if (is_least(whole)) {
        write_digits(out, whole);
        return write_fraction(none, skip(b, whole.size), out);
    }
    if (whole.size < b.size) {
        write_digits(out, whole);
        return NULL;
    }
    const char *problem = step_whole(whole, 0, next, &result.size);
    if (!problem && result.size == 0)
        problem = "cannot decrement anymore";
    if (!problem)
        write_digits(out, result);
    return problem;
}

static const char *above(rowtide__digits a, rowtide__digits whole,
                         rowtide__writer *out)
{
    char next[LONGEST_WHOLE + 1];
    rowtide__digits result = {next, 0};
    const char *problem = step_whole(whole, 1, next, &result.size);
    if (problem)
        return problem;
    if (result.size > 0) {
        write_digits(out, result);
        return NULL;
    }
    write_digits(out, whole);
    return write_above(skip(a, whole.size), out);
}

const char *rowtide__fract_between(rowtide__digits a, rowtide__digits b,
                                   rowtide__writer *out)
{
    rowtide__digits a_whole = {NULL, 0}, b_whole = {NULL, 0};
    const char *problem = NULL;
    if (a.data)
        problem = check_key(a, &a_whole);
    if (!problem && b.data)
        problem = check_key(b, &b_whole);
    if (problem)
        return problem;
    if (a.data && b.data)
        return between_two(a, a_whole, b, b_whole, out);
    if (a.data)
        return above(a, a_whole, out);
    if (b.data)
        return below(b, b_whole, out);
    rowtide__write_text(out, "a ");
    return NULL;
}
