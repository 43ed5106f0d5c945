#ifndef ROWTIDE_SCHEMA_GENERATE_H
#define ROWTIDE_SCHEMA_GENERATE_H

#include "schema/steps.h"

#include <rowtide/buffer.h>

/* A migration has two halves: what is active leads from the old schema to one
 * in between, what is commented out from there to the new one. Each half is a
 * difference of its own, so the way back is two differences as well. */

/* ## generate_active.c */

/* The changes of the first half: those that add, and need no rebuild. The
 * steps of them; dispose of them. */
int rowtide__generate_active(const rowtide_schema_difference *difference,
                             rowtide__steps *steps_out);

/* ## generate_text.c */

typedef enum rowtide__half {
    ROWTIDE__HALF_ACTIVE,
    ROWTIDE__HALF_COMMENTED,
    ROWTIDE__HALF_COMMENTED_DOWN
} rowtide__half;

/* Each statement ends with ";" and a line feed. */
int rowtide__generate_write(const rowtide__steps *steps, rowtide__half half,
                            rowtide_buffer *out);

/* ## generate.c */
int rowtide__generate_steps(const rowtide_schema_difference *difference,
                            const rowtide__list *changes,
                            rowtide__steps *steps_out);

#endif
