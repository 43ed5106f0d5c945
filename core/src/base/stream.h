#ifndef ROWTIDE_BASE_STREAM_H
#define ROWTIDE_BASE_STREAM_H

#include <rowtide/stream.h>

enum { ROWTIDE__CHUNK = 64 * 1024 };

/* Fill up to `*size` bytes; `*size` 0 afterwards is the end. */
int rowtide__source_read(rowtide_source *source, void *data, size_t *size);

/* Bytes in all if the source knows it (memory, regular file), else -1. */
int64_t rowtide__source_total(const rowtide_source *source);

/* What to call the source in messages: the path, or "changeset". */
const char *rowtide__source_name(const rowtide_source *source);

/* If the source is memory that was not read from yet: its bytes, without a
 * copy; else NULL. */
const void *rowtide__source_borrow(rowtide_source *source, size_t *size);

/* Write through the sink's chunk buffer. */
int rowtide__sink_write(rowtide_sink *sink, const void *data, size_t size);

/* Hand over what is buffered, leaving the sink open. Functions that take a
 * sink call it before they return OK, so callbacks and buffers see all. */
int rowtide__sink_flush(rowtide_sink *sink);

#endif
