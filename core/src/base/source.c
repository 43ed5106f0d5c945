#include "base/stream.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rowtide_source {
    const char *data; /* memory */
    size_t size, position;
    int fd; /* file; -1 if none */
    int is_stdin;
    char *path;
    int64_t total;
    rowtide_read_cb read; /* callback */
    void *user;
    int at_end;
};

static rowtide_source *new_source(void)
{
    rowtide_source *source = rowtide__alloc_zero(sizeof *source);
    if (source) {
        source->fd = -1;
        source->total = -1;
    }
    return source;
}

int rowtide_source_memory(const void *data, size_t size, rowtide_source **out)
{
    ROWTIDE__CHECK_ARG(out, "source_memory");
    *out = NULL;
    ROWTIDE__CHECK_ARG(data || size == 0, "source_memory");
    rowtide_source *source = new_source();
    if (!source)
        return ROWTIDE_ENOMEM;
    source->data = data ? data : "";
    source->size = size;
    source->total = size <= INT64_MAX ? (int64_t)size : -1;
    *out = source;
    return ROWTIDE_OK;
}

static int fail_open(const char *path)
{
    rowtide__file_fail("cannot open", path);
    /* Reading is what failed, so no EREADONLY. */
    return rowtide__fail(ROWTIDE_EIO, "%s", rowtide_error_message());
}

static int measure(rowtide_source *source)
{
    struct stat status;
    if (fstat(source->fd, &status) != 0)
        return fail_open(source->path);
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return fail_open(source->path);
    }
    off_t start = S_ISREG(status.st_mode) ? lseek(source->fd, 0, SEEK_CUR) : -1;
    if (start >= 0 && start <= status.st_size)
        source->total = status.st_size - start;
    return ROWTIDE_OK;
}

static int open_file(rowtide_source *source, const char *path)
{
    source->is_stdin = strcmp(path, "-") == 0;
    source->path = rowtide__strdup(source->is_stdin ? "standard input" : path);
    if (!source->path)
        return ROWTIDE_ENOMEM;
    do
        source->fd = source->is_stdin ? STDIN_FILENO
                                      : open(path, O_RDONLY | O_CLOEXEC);
    while (source->fd < 0 && errno == EINTR);
    return source->fd >= 0 ? measure(source) : fail_open(path);
}

int rowtide_source_file(const char *path, rowtide_source **out)
{
    ROWTIDE__CHECK_ARG(out, "source_file");
    *out = NULL;
    ROWTIDE__CHECK_ARG(path, "source_file");
    rowtide_source *source = new_source();
    if (!source)
        return ROWTIDE_ENOMEM;
    int rc = open_file(source, path);
    if (rc == ROWTIDE_OK)
        *out = source;
    else
        rowtide_source_free(source);
    return rc;
}

int rowtide_source_callback(rowtide_read_cb read, void *user,
                            rowtide_source **out)
{
    ROWTIDE__CHECK_ARG(out, "source_callback");
    *out = NULL;
    ROWTIDE__CHECK_ARG(read, "source_callback");
    rowtide_source *source = new_source();
    if (!source)
        return ROWTIDE_ENOMEM;
    source->read = read;
    source->user = user;
    *out = source;
    return ROWTIDE_OK;
}

void rowtide_source_free(rowtide_source *source)
{
    if (!source)
        return;
    if (source->fd >= 0 && !source->is_stdin)
        close(source->fd);
    rowtide__free(source->path);
    rowtide__free(source);
}

static int read_memory(rowtide_source *source, void *data, size_t *size)
{
    size_t left = source->size - source->position;
    if (*size > left)
        *size = left;
    if (*size)
        memcpy(data, source->data + source->position, *size);
    source->position += *size;
    return ROWTIDE_OK;
}

static int read_callback(rowtide_source *source, void *data, size_t *size)
{
    size_t room = *size;
    rowtide_error_clear();
    int rc = source->read(data, size, source->user);
    if (rc < 0)
        rc = rowtide__fail_callback(rc, "read");
    else if (rc > 0)
        rc = rowtide__fail(ROWTIDE_EINVAL, "read callback returned %d", rc);
    else if (*size > room)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "read callback gave %zu bytes where there is room "
                           "for %zu",
                           *size, room);
    if (rc != ROWTIDE_OK)
        *size = 0;
    return rc;
}

int rowtide__source_read(rowtide_source *source, void *data, size_t *size)
{
    int rc;
    if (source->at_end || *size == 0) {
        *size = 0;
        return ROWTIDE_OK;
    }
    if (source->data)
        rc = read_memory(source, data, size);
    else if (source->read)
        rc = read_callback(source, data, size);
    else
        rc = rowtide__file_read(source->fd, source->path, data, size);
    source->at_end = rc == ROWTIDE_OK && *size == 0;
    return rc;
}

int64_t rowtide__source_total(const rowtide_source *source)
{
    return source->total;
}

const char *rowtide__source_name(const rowtide_source *source)
{
    return source->path ? source->path : "changeset";
}

const void *rowtide__source_borrow(rowtide_source *source, size_t *size)
{
    if (!source->data || source->position > 0)
        return NULL;
    *size = source->size;
    return source->data;
}
