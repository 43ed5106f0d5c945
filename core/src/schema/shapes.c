#include "schema/model.h"
#include "schema/shape_fields.h"

static const char *const AFFINITIES[] = {"blob", "text", "numeric", "integer",
                                         "real"};
static const char *const TABLE_KINDS[] = {"ordinary", "virtual", "shadow"};

#define COLUMN(member, kind) ROWTIDE__FIELD(rowtide_schema_column, member, kind)

static const rowtide_field COLUMN_FIELDS[] = {
    COLUMN(name, TEXT),
    COLUMN(type, TEXT),
    ROWTIDE__FIELD_ENUM(rowtide_schema_column, affinity, AFFINITIES),
    COLUMN(not_null, BOOLEAN),
    COLUMN(primary_key, INTEGER),
    COLUMN(default_sql, TEXT),
    COLUMN(collation, TEXT),
    COLUMN(generated_as, TEXT),
    COLUMN(stored, BOOLEAN),
    COLUMN(hidden, BOOLEAN),
    COLUMN(sql, TEXT),
    ROWTIDE__FIELD_END};
static const rowtide_shape COLUMN_SHAPE = {"column", COLUMN_FIELDS};

#define INDEXED(member, kind)                                                  \
    ROWTIDE__FIELD(rowtide_schema_indexed_column, member, kind)

static const rowtide_field INDEXED_FIELDS[] = {
    INDEXED(name, TEXT), INDEXED(expression, TEXT), INDEXED(collation, TEXT),
    INDEXED(descending, BOOLEAN), ROWTIDE__FIELD_END};
static const rowtide_shape INDEXED_SHAPE = {"indexed_column", INDEXED_FIELDS};

#define KEY(member, kind) ROWTIDE__FIELD(rowtide_schema_key, member, kind)

static const rowtide_field KEY_FIELDS[] = {
    KEY(name, TEXT),
    KEY(primary, BOOLEAN),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_key, columns, &INDEXED_SHAPE),
    KEY(on_conflict, TEXT),
    KEY(autoincrement, BOOLEAN),
    ROWTIDE__FIELD_END};
static const rowtide_shape KEY_SHAPE = {"key", KEY_FIELDS};

#define CHECK(member, kind) ROWTIDE__FIELD(rowtide_schema_check, member, kind)

static const rowtide_field CHECK_FIELDS[] = {
    CHECK(name, TEXT), CHECK(column, TEXT), CHECK(expression, TEXT),
    ROWTIDE__FIELD_END};
static const rowtide_shape CHECK_SHAPE = {"check", CHECK_FIELDS};

#define FOREIGN_KEY(member, kind)                                              \
    ROWTIDE__FIELD(rowtide_schema_foreign_key, member, kind)

static const rowtide_field FOREIGN_KEY_FIELDS[] = {
    FOREIGN_KEY(name, TEXT),        FOREIGN_KEY(columns, TEXTS),
    FOREIGN_KEY(table, TEXT),       FOREIGN_KEY(table_columns, TEXTS),
    FOREIGN_KEY(on_delete, TEXT),   FOREIGN_KEY(on_update, TEXT),
    FOREIGN_KEY(match, TEXT),       FOREIGN_KEY(deferral, TEXT),
    FOREIGN_KEY(relation, BOOLEAN), ROWTIDE__FIELD_END};
static const rowtide_shape FOREIGN_KEY_SHAPE = {"foreign_key",
                                                FOREIGN_KEY_FIELDS};

#define INDEX(member, kind) ROWTIDE__FIELD(rowtide_schema_index, member, kind)

static const rowtide_field INDEX_FIELDS[] = {
    INDEX(name, TEXT),
    INDEX(table, TEXT),
    INDEX(unique, BOOLEAN),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_index, columns, &INDEXED_SHAPE),
    INDEX(where, TEXT),
    INDEX(sql, TEXT),
    ROWTIDE__FIELD_END};
static const rowtide_shape INDEX_SHAPE = {"index", INDEX_FIELDS};

#define TRIGGER(member, kind)                                                  \
    ROWTIDE__FIELD(rowtide_schema_trigger, member, kind)

static const rowtide_field TRIGGER_FIELDS[] = {
    TRIGGER(name, TEXT),  TRIGGER(table, TEXT), TRIGGER(timing, TEXT),
    TRIGGER(event, TEXT), TRIGGER(sql, TEXT),   ROWTIDE__FIELD_END};
static const rowtide_shape TRIGGER_SHAPE = {"trigger", TRIGGER_FIELDS};

#define TABLE(member, kind) ROWTIDE__FIELD(rowtide_schema_table, member, kind)

static const rowtide_field TABLE_FIELDS[] = {
    TABLE(name, TEXT),
    ROWTIDE__FIELD_ENUM(rowtide_schema_table, kind, TABLE_KINDS),
    TABLE(module, TEXT),
    TABLE(without_rowid, BOOLEAN),
    TABLE(strict, BOOLEAN),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, columns, &COLUMN_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, keys, &KEY_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, checks, &CHECK_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, foreign_keys,
                         &FOREIGN_KEY_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, indexes, &INDEX_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_table, triggers, &TRIGGER_SHAPE),
    TABLE(sql, TEXT),
    ROWTIDE__FIELD_END};
static const rowtide_shape TABLE_SHAPE = {"table", TABLE_FIELDS};

static const rowtide_field VIEW_FIELDS[] = {
    ROWTIDE__FIELD(rowtide_schema_view, name, TEXT),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_view, columns, &COLUMN_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_view, triggers, &TRIGGER_SHAPE),
    ROWTIDE__FIELD(rowtide_schema_view, sql, TEXT), ROWTIDE__FIELD_END};
static const rowtide_shape VIEW_SHAPE = {"view", VIEW_FIELDS};

static const rowtide_field CONTENTS_FIELDS[] = {
    ROWTIDE__FIELD_ITEMS(rowtide_schema_contents, tables, &TABLE_SHAPE),
    ROWTIDE__FIELD_ITEMS(rowtide_schema_contents, views, &VIEW_SHAPE),
    ROWTIDE__FIELD_END};
const rowtide_shape rowtide__contents_shape = {"schema", CONTENTS_FIELDS};

const rowtide_shape *rowtide_schema_shape(void)
{
    return &rowtide__contents_shape;
}
