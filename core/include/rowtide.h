/**
 * @file rowtide.h
 * @brief Change control for SQLite. This header only includes the others.
 */
#ifndef ROWTIDE_H
#define ROWTIDE_H

#include <rowtide/apply.h>
#include <rowtide/audit.h>
#include <rowtide/buffer.h>
#include <rowtide/capture.h>
#include <rowtide/changeset.h>
#include <rowtide/common.h>
#include <rowtide/crdt.h>
#include <rowtide/db.h>
#include <rowtide/error.h>
#include <rowtide/render.h>
#include <rowtide/replication.h>
#include <rowtide/schema.h>
#include <rowtide/schema_build.h>
#include <rowtide/schema_diff.h>
#include <rowtide/schema_plan.h>
#include <rowtide/shape.h>
#include <rowtide/stream.h>
#include <rowtide/undo.h>
#include <rowtide/value.h>

#endif
