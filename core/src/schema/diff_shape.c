#include "schema/model.h"
#include "schema/shape_fields.h"

#include <rowtide/schema_diff.h>

const char *const rowtide__object_words[] = {
    "table", "column",  "key",  "check",        "foreign_key",
    "index", "trigger", "view", "virtual_table"};
const char *const rowtide__effect_words[] = {"additive", "safe", "checked",
                                             "lossy", "destructive"};

static const char *const OPERATIONS[] = {"add", "remove", "change", "rename"};
static const char *const ASPECTS[] = {
    "whole",     "type",          "not_null",      "default",
    "collation", "generated",     "autoincrement", "on_conflict",
    "strict",    "without_rowid", "order",         "sql"};

#define FIELD(member, kind) ROWTIDE__FIELD(rowtide_schema_change, member, kind)
#define ENUM(member, words)                                                    \
    ROWTIDE__FIELD_ENUM(rowtide_schema_change, member, words)

static const rowtide_field CHANGE_FIELDS[] = {
    ENUM(operation, OPERATIONS),
    ENUM(object, rowtide__object_words),
    FIELD(table, TEXT),
    FIELD(name, TEXT),
    ENUM(aspect, ASPECTS),
    FIELD(from, TEXT),
    FIELD(to, TEXT),
    ENUM(effect, rowtide__effect_words),
    FIELD(unknown, BOOLEAN),
    FIELD(note, TEXT),
    ROWTIDE__FIELD_END};
const rowtide_shape rowtide__change_shape = {"change", CHANGE_FIELDS};

static const rowtide_field CHANGES_FIELDS[] = {
    ROWTIDE__FIELD_ITEMS(rowtide_schema_changes, changes,
                         &rowtide__change_shape),
    ROWTIDE__FIELD_END};
static const rowtide_shape CHANGES_SHAPE = {"difference", CHANGES_FIELDS};

const rowtide_shape *rowtide_schema_difference_shape(void)
{
    return &CHANGES_SHAPE;
}
