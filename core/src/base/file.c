/* For realpath(), which POSIX.1-2008 keeps among the XSI functions. */
#define _XOPEN_SOURCE 700

#include "base/file.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_AT_ONCE = 1 << 30, MOST_NAMES = 1000 };

int rowtide__code_from_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EFBIG:
    case EDQUOT:
        return ROWTIDE_EFULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ROWTIDE_EREADONLY;
    case ENOMEM:
        return ROWTIDE_ENOMEM;
    default:
        return ROWTIDE_EIO;
    }
}

int rowtide__file_fail(const char *doing, const char *path)
{
    int error = errno;
    char reason[128];
    if (strerror_r(error, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", error);
    return rowtide__fail(rowtide__code_from_errno(error), "%s %s: %s", doing,
                         path, reason);
}

int rowtide__file_read(int fd, const char *path, void *data, size_t *size)
{
    ssize_t got;
    size_t room = *size < MOST_AT_ONCE ? *size : MOST_AT_ONCE;
    *size = 0;
    do
        got = read(fd, data, room);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        int code = rowtide__file_fail("cannot read", path);
        return code == ROWTIDE_EREADONLY
                   ? rowtide__fail(ROWTIDE_EIO, "%s", rowtide_error_message())
                   : code;
    }
    *size = (size_t)got;
    return ROWTIDE_OK;
}

int rowtide__file_write(int fd, const char *path, const void *data, size_t size)
{
    const char *bytes = data;
    while (size > 0) {
        ssize_t put = write(fd, bytes,
                            size < MOST_AT_ONCE ? size : MOST_AT_ONCE);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return rowtide__file_fail("cannot write", path);
        bytes += put;
        size -= (size_t)put;
    }
    return ROWTIDE_OK;
}

/* The directory of a path with its slash; "" for the working directory. */
static int copy_directory(const char *path, rowtide_buffer *out)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    rowtide__buffer_clear(out);
    return rowtide__buffer_append(out, path, length);
}

int rowtide__file_sync_directory(const char *path)
{
    rowtide_buffer name = ROWTIDE_BUFFER_INIT;
    int rc = copy_directory(path, &name);
    if (rc == ROWTIDE_OK && name.size == 0)
        rc = rowtide__buffer_append_text(&name, ".");
    if (rc != ROWTIDE_OK)
        goto out;
    int fd = open(name.data, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        /* A directory that may be written but not listed cannot be synced. */
        rc = errno == EACCES ? ROWTIDE_OK
                             : rowtide__file_fail("cannot open", name.data);
        goto out;
    }
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        rc = rowtide__file_fail("cannot flush", name.data);
    close(fd);
out:
    rowtide_buffer_dispose(&name);
    return rc;
}

/* A link is followed, so that it still is one afterwards. */
static int resolve_path(rowtide__new_file *file, const char *path)
{
    char resolved[PATH_MAX];
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode)
        && realpath(path, resolved))
        path = resolved;
    file->path = rowtide__strdup(path);
    return file->path ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int open_temporary(rowtide__new_file *file)
{
    rowtide_buffer name = ROWTIDE_BUFFER_INIT;
    for (int number = 0; number < MOST_NAMES; number++) {
        int rc = copy_directory(file->path, &name);
        if (rc == ROWTIDE_OK)
            rc = rowtide__buffer_append_format(&name, ".rowtide-%ld-%d.tmp",
                                               (long)getpid(), number);
        if (rc != ROWTIDE_OK) {
            rowtide_buffer_dispose(&name);
            return rc;
        }
        file->fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                        0666);
        if (file->fd >= 0 || errno != EEXIST)
            break;
    }
    if (file->fd >= 0) {
        file->temporary = name.data;
        return ROWTIDE_OK;
    }
    int rc = rowtide__file_fail("cannot write", file->path);
    rowtide_buffer_dispose(&name);
    return rc;
}

static int open_directly(rowtide__new_file *file)
{
    do
        file->fd = open(file->path, O_WRONLY | O_CLOEXEC);
    while (file->fd < 0 && errno == EINTR);
    return file->fd >= 0 ? ROWTIDE_OK
                         : rowtide__file_fail("cannot open", file->path);
}

int rowtide__new_file_open(rowtide__new_file *file, const char *path)
{
    struct stat status;
    *file = (rowtide__new_file)ROWTIDE__NEW_FILE_INIT;
    file->process = (long)getpid();
    int rc = resolve_path(file, path);
    if (rc != ROWTIDE_OK)
        return rc;
    int exists = stat(file->path, &status) == 0;
    if (exists && !S_ISREG(status.st_mode))
        rc = open_directly(file);
    else if (exists && access(file->path, W_OK) != 0)
        rc = rowtide__file_fail("cannot write", file->path);
    else
        rc = open_temporary(file);
    if (rc == ROWTIDE_OK && exists && file->temporary
        && fchmod(file->fd, status.st_mode & 07777) != 0)
        rc = rowtide__file_fail("cannot write", file->path);
    if (rc != ROWTIDE_OK)
        rowtide__new_file_dispose(file);
    return rc;
}

static int close_new_file(rowtide__new_file *file)
{
    int fd = file->fd;
    int rc = ROWTIDE_OK;
    if (file->temporary && fsync(fd) != 0)
        rc = rowtide__file_fail("cannot write", file->path);
    file->fd = -1;
    if (close(fd) != 0 && errno != EINTR && rc == ROWTIDE_OK)
        rc = rowtide__file_fail("cannot write", file->path);
    return rc;
}

int rowtide__new_file_publish(rowtide__new_file *file)
{
    int rc = close_new_file(file);
    if (rc != ROWTIDE_OK || !file->temporary)
        return rc;
    if (rename(file->temporary, file->path) != 0)
        return rowtide__file_fail("cannot write", file->path);
    rowtide__free(file->temporary);
    file->temporary = NULL;
    return rowtide__file_sync_directory(file->path);
}

void rowtide__new_file_dispose(rowtide__new_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    /* In a forked child the file still is the parent's. */
    if (file->temporary && file->process == (long)getpid())
        unlink(file->temporary);
    rowtide__free(file->temporary);
    rowtide__free(file->path);
    *file = (rowtide__new_file)ROWTIDE__NEW_FILE_INIT;
}
