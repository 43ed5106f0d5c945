#include "changeset/disk.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What is missing here was named by the caller. */
static int code_from_errno(int error)
{
    return error == ENOENT || error == ENOTDIR
               ? ROWTIDE_ENOTFOUND
               : rowtide__code_from_errno(error);
}

int rowtide__disk_fail(int error, const char *path, const char *what)
{
    char words[128];
    if (strerror_r(error, words, sizeof words))
        snprintf(words, sizeof words, "error %d", error);
    return rowtide__fail(code_from_errno(error), "%s: %s: %s", path, what,
                         words);
}

int rowtide__disk_read(int fd, const char *path, void *data, size_t *size)
{
    size_t wanted = *size;
    *size = 0;
    while (*size < wanted) {
        ssize_t got = read(fd, (char *)data + *size, wanted - *size);
        if (got == 0)
            break;
        if (got > 0)
            *size += (size_t)got;
        else if (errno != EINTR)
            return rowtide__disk_fail(errno, path, "read");
    }
    return ROWTIDE_OK;
}

static int write_part(int fd, const char *path, const rowtide__disk_part *part)
{
    size_t done = 0;
    while (done < part->size) {
        ssize_t put = write(fd, (const char *)part->data + done,
                            part->size - done);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            return rowtide__disk_fail(errno, path, "write");
    }
    return ROWTIDE_OK;
}

/* Two processes may be writing the same file: each has a name of its own. A
 * file of this name that a killed process left behind is passed over. */
static int open_temporary(const char *path, rowtide_buffer *name, int *fd)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    for (unsigned i = 0; i < 100; i++) {
        rowtide__buffer_clear(name);
        int rc = rowtide__buffer_append_format(name, "%s.%ld-%lx.tmp", path,
                                               (long)getpid(),
                                               (unsigned long)now.tv_nsec + i);
        if (rc)
            return rc;
        *fd = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (*fd >= 0)
            return ROWTIDE_OK;
        if (errno != EEXIST)
            break;
    }
    return rowtide__disk_fail(errno, name->data, "create");
}

static int fill(int fd, const char *path, const rowtide__disk_part *parts,
                int count)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++)
        rc = write_part(fd, path, &parts[i]);
    if (rc == ROWTIDE_OK && fsync(fd))
        rc = rowtide__disk_fail(errno, path, "fsync");
    if (close(fd) && rc == ROWTIDE_OK)
        rc = rowtide__disk_fail(errno, path, "close");
    return rc;
}

/* A link never takes the place of another file, as a rename would; where the
 * file system has no links there is only the rename. */
static int put_in_place(const char *temporary, const char *path)
{
    struct stat status;
    if (link(temporary, path) == 0)
        return ROWTIDE_OK;
    if (errno == EEXIST || stat(path, &status) == 0)
        return ROWTIDE_DONE;
    if (rename(temporary, path) == 0)
        return ROWTIDE_OK;
    return rowtide__disk_fail(errno, path, "rename");
}

/* Some file systems cannot sync a directory and say EINVAL. */
static int sync_directory(const char *directory)
{
    int rc = ROWTIDE_OK;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return rowtide__disk_fail(errno, directory, "open");
    if (fsync(fd) && errno != EINVAL && errno != EROFS)
        rc = rowtide__disk_fail(errno, directory, "fsync");
    close(fd);
    return rc;
}

static int create_temporary(const char *path, const rowtide__disk_part *parts,
                            int count)
{
    rowtide_buffer temporary = ROWTIDE_BUFFER_INIT;
    int fd = -1;
    int rc = open_temporary(path, &temporary, &fd);
    if (rc == ROWTIDE_OK) {
        rc = fill(fd, path, parts, count);
        if (rc == ROWTIDE_OK)
            rc = put_in_place(temporary.data, path);
        unlink(temporary.data);
    }
    rowtide_buffer_dispose(&temporary);
    return rc;
}

/* A file that is there may come from a process that was killed before it
 * could sync the directory. */
int rowtide__disk_create(const char *directory, const char *path,
                         const rowtide__disk_part *parts, int count)
{
    struct stat status;
    int rc = stat(path, &status) == 0 ? ROWTIDE_DONE
                                      : create_temporary(path, parts, count);
    if (rc < 0)
        return rc;
    int synced = sync_directory(directory);
    return synced ? synced : rc;
}
