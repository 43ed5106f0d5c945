#include <rowtide/value.h>

#include <string.h>

rowtide_value rowtide_value_integer(int64_t integer)
{
    return (rowtide_value){.type = ROWTIDE_INTEGER, .integer = integer};
}

rowtide_value rowtide_value_real(double real)
{
    return (rowtide_value){.type = ROWTIDE_REAL, .real = real};
}

rowtide_value rowtide_value_text(const char *text)
{
    if (!text)
        return rowtide_value_null();
    return (rowtide_value){
        .type = ROWTIDE_TEXT, .data = text, .size = strlen(text)};
}

rowtide_value rowtide_value_blob(const void *data, size_t size)
{
    return (rowtide_value){.type = ROWTIDE_BLOB, .data = data, .size = size};
}

rowtide_value rowtide_value_null(void)
{
    return (rowtide_value){.type = ROWTIDE_NULL};
}

rowtide_value rowtide_value_undefined(void)
{
    return (rowtide_value){.type = ROWTIDE_UNDEFINED};
}

static int same_bytes(const rowtide_value *a, const rowtide_value *b)
{
    return a->size == b->size
           && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

int rowtide_value_equal(const rowtide_value *a, const rowtide_value *b)
{
    if (!a || !b || a->type != b->type)
        return 0;
    switch (a->type) {
    case ROWTIDE_INTEGER:
        return a->integer == b->integer;
    case ROWTIDE_REAL:
        return a->real == b->real;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        return same_bytes(a, b);
    default:
        return 1;
    }
}
