#ifndef ROWTIDE_CRDT_LOG_H
#define ROWTIDE_CRDT_LOG_H

#include "crdt/engine.h"
#include "crdt/scan.h"

/* Between log.c and log_bundle.c. */

/* What the first item of a row of the log comes after. */
#define ROWTIDE__NO_ITEM {.rows = 1}

int rowtide__log_put_item(rowtide_buffer *out, const rowtide__logged *item,
                          const rowtide__logged *last);
void rowtide__log_take_item(rowtide__scan *in, const rowtide__logged *last,
                            rowtide__logged *item);
int rowtide__log_damaged(void);
/* With engine->bytes as its body. */
int rowtide__log_write_row(rowtide__crdt *engine, int64_t db_version,
                           int64_t batch, int64_t block);

#endif
