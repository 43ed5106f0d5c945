#ifndef ROWTIDE_BASE_FILE_H
#define ROWTIDE_BASE_FILE_H

#include <rowtide/common.h>

/* Our code for an errno. */
int rowtide__code_from_errno(int error);

/* Set the last error from errno: "doing path: No space left on device".
 * Returns the code, which is never OK. */
int rowtide__file_fail(const char *doing, const char *path);

/* read() and write() that are not put off by signals. `*size` is what was
 * read, 0 at the end. The path is for messages. */
int rowtide__file_read(int fd, const char *path, void *data, size_t *size);
int rowtide__file_write(int fd, const char *path, const void *data,
                        size_t size);

/* A file that takes the place of `path` when it is complete. */
typedef struct rowtide__new_file {
    int fd;          /* -1 if not open */
    char *path;      /* what it becomes; links are followed */
    char *temporary; /* what it is called until then; NULL if `path` is a
                        device or pipe and is written to directly */
    long process;
} rowtide__new_file;

#define ROWTIDE__NEW_FILE_INIT {-1, NULL, NULL, 0}

int rowtide__new_file_open(rowtide__new_file *file, const char *path);
/* Flush to disk, close and rename. */
int rowtide__new_file_publish(rowtide__new_file *file);
/* Release, throwing the file away if it was not published. */
void rowtide__new_file_dispose(rowtide__new_file *file);

/* Make the entries of the directory that holds `path` durable. */
int rowtide__file_sync_directory(const char *path);

#endif
