/**
 * @file rowtide/stream.h
 * @brief Where bytes come from and where they go, a chunk at a time.
 *
 * A source serves one call: hand it to a function that takes one, then free
 * it. A sink may serve several, one after the other. Both hold no more than
 * one chunk (64 KiB), and a function that reads changes from a source no more
 * than that and the largest of them twice.
 */
#ifndef ROWTIDE_STREAM_H
#define ROWTIDE_STREAM_H

#include <rowtide/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_source rowtide_source;
typedef struct rowtide_sink rowtide_sink;

/**
 * Give the next bytes of a source.
 *
 * @param data  where to put them
 * @param size  in: room in `data`; out: bytes put there, 0 at the end
 * @return 0, or a negative code to fail the call that reads
 */
typedef int (*rowtide_read_cb)(void *data, size_t *size, void *user);

/** Take bytes. @return 0, or a negative code to fail the call that writes. */
typedef int (*rowtide_write_cb)(const void *data, size_t size, void *user);

/** Read from memory, which is borrowed until the source is freed. */
ROWTIDE_API int rowtide_source_memory(const void *data, size_t size,
                                      rowtide_source **out);
/** Read a file. "-" is standard input. */
ROWTIDE_API int rowtide_source_file(const char *path, rowtide_source **out);
/** Read through a callback. */
ROWTIDE_API int rowtide_source_callback(rowtide_read_cb read, void *user,
                                        rowtide_source **out);
/** Close what the source opened and release it. */
ROWTIDE_API void rowtide_source_free(rowtide_source *source);

/** Append to a buffer, which is borrowed until the sink is freed. */
ROWTIDE_API int rowtide_sink_buffer(rowtide_buffer *buffer, rowtide_sink **out);
/**
 * Write a file. "-" is standard output.
 *
 * The bytes go to a temporary file beside `path`, which takes the place of
 * `path` in rowtide_sink_close(): a file that is there is complete.
 */
ROWTIDE_API int rowtide_sink_file(const char *path, rowtide_sink **out);
/** Write through a callback. */
ROWTIDE_API int rowtide_sink_callback(rowtide_write_cb write, void *user,
                                      rowtide_sink **out);
/** Write bytes that are no changeset, such as what rowtide_report_rebase()
 *  gave. */
ROWTIDE_API int rowtide_sink_write(rowtide_sink *sink, const void *data,
                                   size_t size);
/** Hand over what is left, flush it to disk and close. The functions that
 *  take a sink do not close it, so several may write to one in turn. */
ROWTIDE_API int rowtide_sink_close(rowtide_sink *sink);
/** Release the sink; a file that was not closed is thrown away. */
ROWTIDE_API void rowtide_sink_free(rowtide_sink *sink);

#ifdef __cplusplus
}
#endif

#endif
