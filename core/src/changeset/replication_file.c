#include "changeset/replication_file.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/crc64.h"
#include "base/error.h"
#include "base/stream.h"
#include "changeset/disk.h"
#include "changeset/envelope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 20, STREAM_TEXT_SIZE = 2 * ROWTIDE__STREAM_ID_SIZE + 1 };

static const char suffix[] = ".changeset";

static int join_path(const char *directory, const char *name,
                     rowtide_buffer *out)
{
    size_t length = strlen(directory);
    const char *slash = length && directory[length - 1] == '/' ? "" : "/";
    rowtide__buffer_clear(out);
    return rowtide__buffer_append_format(out, "%s%s%s", directory, slash, name);
}

int rowtide__outbox_absolute(const char *directory, rowtide_buffer *out)
{
    char here[PATH_MAX] = "";
    rowtide__buffer_clear(out);
    if (directory[0] == '/')
        return rowtide__buffer_append_text(out, directory);
    if (!getcwd(here, sizeof here))
        return rowtide__disk_fail(errno, directory, "getcwd");
    return join_path(here, directory, out);
}

int rowtide__outbox_path(const char *directory, int64_t number,
                         rowtide_buffer *out)
{
    int rc = join_path(directory, "", out);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_format(out, "%020" PRId64 "%s", number,
                                           suffix);
    return rc;
}

/* The number in a file's name, 0 if it is another file. */
static int64_t parse_name(const char *name)
{
    int64_t number = 0;
    if (strlen(name) != DIGITS + sizeof suffix - 1
        || strcmp(name + DIGITS, suffix))
        return 0;
    for (int i = 0; i < DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9'
            || number > (INT64_MAX - (name[i] - '0')) / 10)
            return 0;
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

int rowtide__outbox_make(const char *directory)
{
    if (mkdir(directory, 0777) && errno != EEXIST)
        return rowtide__disk_fail(errno, directory, "mkdir");
    return rowtide__outbox_check(directory);
}

int rowtide__outbox_check(const char *directory)
{
    struct stat status;
    if (stat(directory, &status))
        return rowtide__disk_fail(errno, directory, "open");
    if (!S_ISDIR(status.st_mode))
        return rowtide__fail(ROWTIDE_ENOTFOUND, "%s: not a directory",
                             directory);
    return ROWTIDE_OK;
}

/* ## Whose it is: the file `stream`, 32 hexadecimal digits and a line feed */

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

static int parse_stream(const char *text, size_t size, const char *path,
                        unsigned char *stream)
{
    int bad = size != STREAM_TEXT_SIZE || text[size - 1] != '\n';
    for (int i = 0; !bad && i < ROWTIDE__STREAM_ID_SIZE; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        bad = high < 0 || low < 0;
        stream[i] = (unsigned char)(bad ? 0 : high * 16 + low);
    }
    if (bad)
        return rowtide__fail(ROWTIDE_ECORRUPT, "%s: not the name of a stream",
                             path);
    return ROWTIDE_OK;
}

static void print_stream(const unsigned char *stream, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < ROWTIDE__STREAM_ID_SIZE; i++) {
        *text++ = digits[stream[i] >> 4];
        *text++ = digits[stream[i] & 15];
    }
    *text = '\n';
}

/* ROWTIDE_DONE if it is not there. */
static int open_file(const char *path, int *fd)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0)
        return ROWTIDE_OK;
    return errno == ENOENT ? ROWTIDE_DONE
                           : rowtide__disk_fail(errno, path, "open");
}

static int read_stream_file(const char *path, unsigned char *stream)
{
    char text[STREAM_TEXT_SIZE + 1];
    size_t size = sizeof text;
    int fd;
    int rc = open_file(path, &fd);
    if (rc)
        return rc;
    rc = rowtide__disk_read(fd, path, text, &size);
    close(fd);
    return rc ? rc : parse_stream(text, size, path, stream);
}

int rowtide__outbox_read_stream(const char *directory, unsigned char *stream)
{
    rowtide_buffer path = ROWTIDE_BUFFER_INIT;
    int rc = join_path(directory, "stream", &path);
    if (rc == ROWTIDE_OK)
        rc = read_stream_file(path.data, stream);
    rowtide_buffer_dispose(&path);
    return rc;
}

static int check_owner(const char *directory, const unsigned char *stream)
{
    unsigned char owner[ROWTIDE__STREAM_ID_SIZE];
    int rc = rowtide__outbox_read_stream(directory, owner);
    if (rc == ROWTIDE_OK && memcmp(owner, stream, sizeof owner))
        rc = rowtide__fail(ROWTIDE_EEXISTS,
                           "%s: is the directory of another primary",
                           directory);
    return rc;
}

int rowtide__outbox_claim(const char *directory, const unsigned char *stream)
{
    rowtide_buffer path = ROWTIDE_BUFFER_INIT;
    char text[STREAM_TEXT_SIZE];
    rowtide__disk_part part = {text, sizeof text};
    print_stream(stream, text);
    int rc = join_path(directory, "stream", &path);
    if (rc == ROWTIDE_OK)
        rc = rowtide__disk_create(directory, path.data, &part, 1);
    if (rc == ROWTIDE_DONE)
        rc = check_owner(directory, stream);
    rowtide_buffer_dispose(&path);
    return rc;
}

/* ## What is there */

int rowtide__outbox_has(const char *directory, int64_t number)
{
    rowtide_buffer path = ROWTIDE_BUFFER_INIT;
    struct stat status;
    int rc = rowtide__outbox_path(directory, number, &path);
    if (rc == ROWTIDE_OK) {
        rc = stat(path.data, &status) == 0;
        if (!rc && errno != ENOENT)
            rc = rowtide__disk_fail(errno, path.data, "stat");
    }
    rowtide_buffer_dispose(&path);
    return rc;
}

int rowtide__outbox_next(const char *directory, int64_t number, int64_t *out)
{
    struct dirent *entry;
    DIR *handle = opendir(directory);
    *out = 0;
    if (!handle)
        return rowtide__disk_fail(errno, directory, "open");
    while (errno = 0, (entry = readdir(handle))) {
        int64_t found = parse_name(entry->d_name);
        if (found > number && (*out == 0 || found < *out))
            *out = found;
    }
    int rc = errno ? rowtide__disk_fail(errno, directory, "read") : ROWTIDE_OK;
    closedir(handle);
    return rc;
}

/* ## Reading */

static int check_payload(rowtide__inbox_file *file, char *chunk)
{
    const char *path = file->path.data;
    uint64_t total = 0, checksum = 0;
    size_t size;
    do {
        size = ROWTIDE__CHUNK;
        int rc = rowtide__disk_read(file->fd, path, chunk, &size);
        if (rc)
            return rc;
        checksum = rowtide__crc64(checksum, chunk, size);
        total += size;
    } while (size > 0);
    if (total != file->envelope.size)
        return rowtide__fail_at(
            ROWTIDE_ECORRUPT, (int64_t)(ROWTIDE__ENVELOPE_SIZE + total),
            "%s: %" PRIu64 " bytes of changeset, not the %" PRIu64
            " it should have",
            path, total, file->envelope.size);
    if (checksum != file->envelope.checksum)
        return rowtide__fail(ROWTIDE_ECORRUPT, "%s: the checksum is wrong",
                             path);
    return ROWTIDE_OK;
}

static int check_content(rowtide__inbox_file *file)
{
    char *chunk = rowtide__alloc(ROWTIDE__CHUNK);
    if (!chunk)
        return ROWTIDE_ENOMEM;
    int rc = check_payload(file, chunk);
    rowtide__free(chunk);
    if (rc == ROWTIDE_OK
        && lseek(file->fd, ROWTIDE__ENVELOPE_SIZE, SEEK_SET) < 0)
        rc = rowtide__disk_fail(errno, file->path.data, "seek");
    file->left = file->envelope.size;
    return rc;
}

static int check_header(rowtide__inbox_file *file, int64_t number)
{
    unsigned char header[ROWTIDE__ENVELOPE_SIZE];
    size_t size = sizeof header;
    const char *path = file->path.data;
    int rc = rowtide__disk_read(file->fd, path, header, &size);
    if (rc)
        return rc;
    if (size < sizeof header)
        return rowtide__fail_at(ROWTIDE_ECORRUPT, (int64_t)size,
                                "%s: ends in the middle of its header", path);
    rc = rowtide__envelope_decode(header, path, &file->envelope);
    if (rc == ROWTIDE_OK && file->envelope.number != number)
        rc = rowtide__fail_at(ROWTIDE_ECORRUPT, 32, "%s: holds number %" PRId64,
                              path, file->envelope.number);
    return rc;
}

int rowtide__inbox_open(const char *directory, int64_t number,
                        rowtide__inbox_file *out)
{
    memset(out, 0, sizeof *out);
    out->fd = -1;
    int rc = rowtide__outbox_path(directory, number, &out->path);
    if (rc == ROWTIDE_OK)
        rc = open_file(out->path.data, &out->fd);
    if (rc == ROWTIDE_OK)
        rc = check_header(out, number);
    if (rc == ROWTIDE_OK)
        rc = check_content(out);
    if (rc)
        rowtide__inbox_close(out);
    return rc;
}

int rowtide__inbox_read(void *data, size_t *size, void *user)
{
    rowtide__inbox_file *file = user;
    size_t wanted = *size < file->left ? *size : (size_t)file->left;
    *size = wanted;
    int rc = rowtide__disk_read(file->fd, file->path.data, data, size);
    if (rc == ROWTIDE_OK && *size < wanted)
        rc = rowtide__fail(ROWTIDE_ECORRUPT, "%s: was cut while it was read",
                           file->path.data);
    file->left -= *size;
    return rc;
}

void rowtide__inbox_close(rowtide__inbox_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    rowtide_buffer_dispose(&file->path);
}

/* ## Writing */

/* Whether the file that is there is the one that should be. The checksum
 * stands for the content. */
static int check_same(const char *directory, const rowtide__envelope *envelope)
{
    rowtide__inbox_file file;
    int rc = rowtide__inbox_open(directory, envelope->number, &file);
    if (rc)
        return rc;
    if (memcmp(file.envelope.stream, envelope->stream, sizeof envelope->stream)
        || file.envelope.size != envelope->size
        || file.envelope.checksum != envelope->checksum)
        rc = rowtide__fail(ROWTIDE_EEXISTS,
                           "%s: exists with another content: was this database "
                           "restored from a backup, or copied?",
                           file.path.data);
    rowtide__inbox_close(&file);
    return rc;
}

int rowtide__outbox_write(const char *directory, const unsigned char *stream,
                          int64_t number, const void *data, size_t size)
{
    rowtide_buffer path = ROWTIDE_BUFFER_INIT;
    unsigned char header[ROWTIDE__ENVELOPE_SIZE];
    rowtide__envelope envelope = {.number = number, .size = size};
    rowtide__disk_part parts[] = {{header, sizeof header}, {data, size}};
    memcpy(envelope.stream, stream, sizeof envelope.stream);
    envelope.checksum = rowtide__crc64(0, data, size);
    rowtide__envelope_encode(&envelope, header);
    int rc = rowtide__outbox_path(directory, number, &path);
    if (rc == ROWTIDE_OK)
        rc = rowtide__disk_create(directory, path.data, parts, 2);
    if (rc == ROWTIDE_DONE)
        rc = check_same(directory, &envelope);
    rowtide_buffer_dispose(&path);
    return rc;
}
