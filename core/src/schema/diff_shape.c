#include "schema/model.h"
#include "schema/shape_fields.h"

#include <rowtide/schema_diff.h>

static const char *const OPERATIONS[] = {"add", "remove", "change", "rename"};
static const char *const OBJECTS[] = {
    "table", "column",  "key",  "check",        "foreign_key",
    "index", "trigger", "view", "virtual_table"};
static const char *const ASPECTS[] = {
    "whole",     "type",          "not_null",      "default",
    "collation", "generated",     "autoincrement", "on_conflict",
    "strict",    "without_rowid", "order",         "sql"};
static const char *const EFFECTS[] = {"additive", "safe", "checked", "lossy",
                                      "destructive"};

#define FIELD(member, kind) ROWTIDE__FIELD(rowtide_schema_change, member, kind)
#define ENUM(member, words)                                                    \
    ROWTIDE__FIELD_ENUM(rowtide_schema_change, member, words)

static const rowtide_field CHANGE_FIELDS[] = {ENUM(operation, OPERATIONS),
                                              ENUM(object, OBJECTS),
                                              FIELD(table, TEXT),
                                              FIELD(name, TEXT),
                                              ENUM(aspect, ASPECTS),
                                              FIELD(from, TEXT),
                                              FIELD(to, TEXT),
                                              ENUM(effect, EFFECTS),
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
