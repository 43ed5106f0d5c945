/* The options of the schema functions, field by field, for every language. */
#ifndef ROWTIDE_SCHEMA_OPTIONS_H
#define ROWTIDE_SCHEMA_OPTIONS_H

#include <rowtide.h>

#include <stddef.h>

/* An `unsigned` of flags, given as words: bit i is names[i]. */
#define ROWTIDE_OPTION_FLAGS ((rowtide_field_kind)100)

#define OPTION(type, name, kind)                                               \
    {#name, ROWTIDE_FIELD_##kind, offsetof(rowtide_##type##_options, name),    \
     NULL, NULL}
#define OPTION_WORD(type, name, words)                                         \
    {#name, ROWTIDE_FIELD_ENUM, offsetof(rowtide_##type##_options, name),      \
     words, NULL}
#define OPTION_WORDS(type, name, words)                                        \
    {#name, ROWTIDE_OPTION_FLAGS, offsetof(rowtide_##type##_options, name),    \
     words, NULL}
#define OPTIONS_END {NULL, ROWTIDE_FIELD_TEXT, 0, NULL, NULL}

static const char *const undeclared_words[] = {"remove", "ignore", NULL};
static const char *const allow_words[] = {"lossy", "destructive", NULL};

static const rowtide_field read_fields[] = {
    OPTION(schema_read, schema, TEXT), OPTION(schema_read, tables, TEXTS),
    OPTION(schema_read, internal, BOOLEAN), OPTIONS_END};

static const rowtide_field table_fields[] = {
    OPTION(schema_table, strict, BOOLEAN),
    OPTION(schema_table, without_rowid, BOOLEAN),
    OPTION(schema_table, primary_key, TEXTS),
    OPTION(schema_table, soft_delete, TEXT), OPTIONS_END};

static const rowtide_field column_fields[] = {
    OPTION(schema_column, primary_key, BOOLEAN),
    OPTION(schema_column, autoincrement, BOOLEAN),
    OPTION(schema_column, not_null, BOOLEAN),
    OPTION(schema_column, unique, BOOLEAN),
    OPTION(schema_column, indexed, BOOLEAN),
    OPTION(schema_column, default_sql, TEXT),
    OPTION(schema_column, check, TEXT),
    OPTION(schema_column, collation, TEXT),
    OPTION(schema_column, generated_as, TEXT),
    OPTION(schema_column, stored, BOOLEAN),
    OPTIONS_END};

static const rowtide_field index_fields[] = {
    OPTION(schema_index, name, TEXT), OPTION(schema_index, unique, BOOLEAN),
    OPTION(schema_index, where, TEXT), OPTIONS_END};

static const rowtide_field relation_fields[] = {
    OPTION(schema_relation, column, TEXT),
    OPTION(schema_relation, table_column, TEXT),
    OPTION(schema_relation, on_delete, TEXT),
    OPTION(schema_relation, on_update, TEXT),
    OPTION(schema_relation, not_null, BOOLEAN),
    OPTION(schema_relation, foreign_key, BOOLEAN),
    OPTIONS_END};

static const rowtide_field diff_fields[] = {
    OPTION(schema_diff, renames, TEXTS),
    OPTION_WORD(schema_diff, undeclared, undeclared_words),
    OPTION(schema_diff, column_order, BOOLEAN), OPTIONS_END};

static const rowtide_field plan_fields[] = {
    OPTION_WORDS(plan, allow, allow_words), OPTION(plan, renames, TEXTS),
    OPTION_WORD(plan, undeclared, undeclared_words), OPTIONS_END};

static const rowtide_field auto_migrate_fields[] = {
    OPTION(auto_migrate, foreign_keys, BOOLEAN),
    OPTION(auto_migrate, dry_run, BOOLEAN), OPTIONS_END};

static const rowtide_shape option_shapes[] = {
    {"read", read_fields},
    {"table", table_fields},
    {"column", column_fields},
    {"index", index_fields},
    {"relation", relation_fields},
    {"diff", diff_fields},
    {"plan", plan_fields},
    {"auto_migrate", auto_migrate_fields},
    {NULL, NULL}};

#undef OPTION
#undef OPTION_WORD
#undef OPTION_WORDS
#undef OPTIONS_END

#endif
