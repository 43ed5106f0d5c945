#ifndef ROWTIDE_SCHEMA_SHAPE_FIELDS_H
#define ROWTIDE_SCHEMA_SHAPE_FIELDS_H

#include <rowtide/shape.h>

/* Lines of the list of fields of a struct. */
#define ROWTIDE__FIELD(type, member, kind)                                     \
    {#member, ROWTIDE_FIELD_##kind, offsetof(type, member), NULL, NULL}
#define ROWTIDE__FIELD_ENUM(type, member, words)                               \
    {#member, ROWTIDE_FIELD_ENUM, offsetof(type, member), words, NULL}
#define ROWTIDE__FIELD_ITEMS(type, member, shape)                              \
    {#member, ROWTIDE_FIELD_ITEMS, offsetof(type, member), NULL, shape}
#define ROWTIDE__FIELD_END {NULL, ROWTIDE_FIELD_TEXT, 0, NULL, NULL}

/* ## diff_shape.c: words of enums that several structs have */
extern const char *const rowtide__object_words[];
extern const char *const rowtide__effect_words[];

#endif
