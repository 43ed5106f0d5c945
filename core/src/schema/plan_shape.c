#include "schema/model.h"
#include "schema/shape_fields.h"

#include <rowtide/schema_plan.h>

static const char *const METHODS[] = {
    "create", "drop", "rename", "add_column", "alter", "rebuild", NULL};
static const char *const FINDING_KINDS[] = {
    "null", "duplicate", "check", "foreign_key", "lossy", "type", NULL};

#define STEP(member, kind) ROWTIDE__FIELD(rowtide_plan_step, member, kind)
#define STEP_ENUM(member, words)                                               \
    ROWTIDE__FIELD_ENUM(rowtide_plan_step, member, words)

static const rowtide_field STEP_FIELDS[] = {
    STEP_ENUM(method, METHODS),
    STEP_ENUM(object, rowtide__object_words),
    STEP(table, TEXT),
    STEP(name, TEXT),
    STEP(reason, TEXT),
    STEP_ENUM(effect, rowtide__effect_words),
    STEP(refused, TEXT),
    ROWTIDE__FIELD_ITEMS(rowtide_plan_step, changes, &rowtide__change_shape),
    STEP(statements, TEXTS),
    STEP(rows, INTEGER),
    STEP(bytes, INTEGER),
    ROWTIDE__FIELD_END};
static const rowtide_shape STEP_SHAPE = {"step", STEP_FIELDS};

static const rowtide_field STEPS_FIELDS[] = {
    ROWTIDE__FIELD_ITEMS(rowtide_plan_steps, steps, &STEP_SHAPE),
    ROWTIDE__FIELD_END};
static const rowtide_shape STEPS_SHAPE = {"plan", STEPS_FIELDS};

#define FINDING(member, kind) ROWTIDE__FIELD(rowtide_finding, member, kind)

static const rowtide_field FINDING_FIELDS[] = {
    ROWTIDE__FIELD_ENUM(rowtide_finding, kind, FINDING_KINDS),
    FINDING(table, TEXT),
    FINDING(columns, TEXTS),
    FINDING(count, INTEGER),
    FINDING(samples, TEXTS),
    FINDING(fatal, BOOLEAN),
    FINDING(note, TEXT),
    ROWTIDE__FIELD_END};
static const rowtide_shape FINDING_SHAPE = {"finding", FINDING_FIELDS};

static const rowtide_field FINDINGS_FIELDS[] = {
    ROWTIDE__FIELD_ITEMS(rowtide_findings, findings, &FINDING_SHAPE),
    ROWTIDE__FIELD_END};
static const rowtide_shape FINDINGS_SHAPE = {"preflight", FINDINGS_FIELDS};

#define ACTION(member, kind) ROWTIDE__FIELD(rowtide_schema_action, member, kind)

static const rowtide_field ACTION_FIELDS[] = {
    ACTION(done, BOOLEAN),
    ROWTIDE__FIELD_ENUM(rowtide_schema_action, object, rowtide__object_words),
    ACTION(table, TEXT),
    ACTION(name, TEXT),
    ACTION(sql, TEXT),
    ACTION(reason, TEXT),
    ACTION(rows, INTEGER),
    ROWTIDE__FIELD_END};
static const rowtide_shape ACTION_SHAPE = {"action", ACTION_FIELDS};

static const rowtide_field ACTIONS_FIELDS[] = {
    ROWTIDE__FIELD_ITEMS(rowtide_schema_actions, actions, &ACTION_SHAPE),
    ROWTIDE__FIELD_END};
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
