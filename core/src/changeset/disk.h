#ifndef ROWTIDE_CHANGESET_DISK_H
#define ROWTIDE_CHANGESET_DISK_H

#include <rowtide/buffer.h>

/* Set the last error from errno: "path: what: the system's words". */
int rowtide__disk_fail(int error, const char *path, const char *what);

/* Fill up to `*size` bytes; fewer only at the end of the file. */
int rowtide__disk_read(int fd, const char *path, void *data, size_t *size);

/* One run of bytes to be written, after the other. */
typedef struct rowtide__disk_part {
    const void *data;
    size_t size;
} rowtide__disk_part;

/* Make a file that was not there. It is complete and on the disk when it
 * appears. ROWTIDE_DONE, and nothing done, if `path` exists. */
int rowtide__disk_create(const char *directory, const char *path,
                         const rowtide__disk_part *parts, int count);

#endif
