#include "schema/model.h"

#include <rowtide/schema_plan.h>

#define FIELD(type, member, kind, words, shape)                                \
    {#member, ROWTIDE_FIELD_##kind, offsetof(type, member), words, shape}
#define END {NULL, ROWTIDE_FIELD_TEXT, 0, NULL, NULL}

static const char *const METHODS[] = {
    "create", "drop", "rename", "add_column", "alter", "rebuild", NULL};
static const char *const EFFECTS[] = {"additive", "safe",        "checked",
                                      "lossy",    "destructive", NULL};
static const char *const OBJECTS[] = {
    "table", "column",  "key",  "check",         "foreign_key",
    "index", "trigger", "view", "virtual_table", NULL};
static const char *const FINDING_KINDS[] = {
    "null", "duplicate", "check", "foreign_key", "lossy", "type", NULL};

#define STEP(member, kind, words, shape)                                       \
    FIELD(rowtide_plan_step, member, kind, words, shape)

static const rowtide_field STEP_FIELDS[] = {
    STEP(method, ENUM, METHODS, NULL),
    STEP(object, ENUM, OBJECTS, NULL),
    STEP(table, TEXT, NULL, NULL),
    STEP(name, TEXT, NULL, NULL),
    STEP(reason, TEXT, NULL, NULL),
    STEP(effect, ENUM, EFFECTS, NULL),
    STEP(refused, TEXT, NULL, NULL),
    STEP(changes, ITEMS, NULL, &rowtide__change_shape),
    STEP(statements, TEXTS, NULL, NULL),
    STEP(rows, INTEGER, NULL, NULL),
    STEP(bytes, INTEGER, NULL, NULL),
    END};
static const rowtide_shape STEP_SHAPE = {"step", STEP_FIELDS};

static const rowtide_field STEPS_FIELDS[] = {
    FIELD(rowtide_plan_steps, steps, ITEMS, NULL, &STEP_SHAPE), END};
static const rowtide_shape STEPS_SHAPE = {"plan", STEPS_FIELDS};

#define FINDING(member, kind, words)                                           \
    FIELD(rowtide_finding, member, kind, words, NULL)

static const rowtide_field FINDING_FIELDS[] = {
    FINDING(kind, ENUM, FINDING_KINDS), FINDING(table, TEXT, NULL),
    FINDING(columns, TEXTS, NULL),      FINDING(count, INTEGER, NULL),
    FINDING(samples, TEXTS, NULL),      FINDING(fatal, BOOLEAN, NULL),
    FINDING(note, TEXT, NULL),          END};
static const rowtide_shape FINDING_SHAPE = {"finding", FINDING_FIELDS};

static const rowtide_field FINDINGS_FIELDS[] = {
    FIELD(rowtide_findings, findings, ITEMS, NULL, &FINDING_SHAPE), END};
static const rowtide_shape FINDINGS_SHAPE = {"preflight", FINDINGS_FIELDS};

#define ACTION(member, kind, words)                                            \
    FIELD(rowtide_schema_action, member, kind, words, NULL)

static const rowtide_field ACTION_FIELDS[] = {
    ACTION(done, BOOLEAN, NULL), ACTION(object, ENUM, OBJECTS),
    ACTION(table, TEXT, NULL),   ACTION(name, TEXT, NULL),
    ACTION(sql, TEXT, NULL),     ACTION(reason, TEXT, NULL),
    ACTION(rows, INTEGER, NULL), END};
static const rowtide_shape ACTION_SHAPE = {"action", ACTION_FIELDS};

static const rowtide_field ACTIONS_FIELDS[] = {
    FIELD(rowtide_schema_actions, actions, ITEMS, NULL, &ACTION_SHAPE), END};
static const rowtide_shape ACTIONS_SHAPE = {"report", ACTIONS_FIELDS};

const rowtide_shape *rowtide_plan_shape(void)
{
    return &STEPS_SHAPE;
}

const rowtide_shape *rowtide_preflight_shape(void)
{
    return &FINDINGS_SHAPE;
}

const rowtide_shape *rowtide_schema_report_shape(void)
{
    return &ACTIONS_SHAPE;
}
