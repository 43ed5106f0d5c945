/* Pipes a changeset of 2.5 GiB through the stream functions and prints how
 * fast that went and how much memory the process had at most. Nothing of it is
 * ever in memory or on disk as a whole. */
#include <rowtide.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { BLOB_SIZE = 1000, RECORD_SIZE = 2 + 9 + 3 + BLOB_SIZE };

static const int64_t RECORDS = INT64_C(2684354560) / RECORD_SIZE;

/* A table t(id INTEGER PRIMARY KEY, data BLOB) and one INSERT after another. */
typedef struct generator {
    int64_t next; /* -1: the header */
    unsigned char record[RECORD_SIZE];
    size_t at, size;
} generator;

static void make_record(generator *made)
{
    static const unsigned char header[] = {'T', 2, 1, 0, 't', 0};
    unsigned char *out = made->record;
    made->at = 0;
    if (made->next < 0) {
        memcpy(out, header, sizeof header);
        made->size = sizeof header;
    } else {
        out[0] = ROWTIDE_CHANGE_INSERT;
        out[1] = 0;
        out[2] = ROWTIDE_INTEGER;
        for (int i = 0; i < 8; i++)
            out[3 + i] = (unsigned char)(made->next >> (56 - 8 * i));
        out[11] = ROWTIDE_BLOB;
        out[12] = 0x80 | (BLOB_SIZE >> 7);
        out[13] = BLOB_SIZE & 0x7f;
        made->size = RECORD_SIZE;
    }
    made->next++;
}

static int generate(void *data, size_t *size, void *user)
{
    generator *made = user;
    unsigned char *out = data;
    size_t room = *size;
    while (room > 0) {
        if (made->at == made->size && made->next == RECORDS)
            break;
        if (made->at == made->size)
            make_record(made);
        size_t part = made->size - made->at < room ? made->size - made->at
                                                   : room;
        memcpy(out, made->record + made->at, part);
        made->at += part;
        out += part;
        room -= part;
    }
    *size -= room;
    return 0;
}

static int count_bytes(const void *data, size_t size, void *user)
{
    (void)data;
    *(int64_t *)user += (int64_t)size;
    return 0;
}

static int iterate(rowtide_source *source, rowtide_sink *sink)
{
    rowtide_changeset_iter *iter;
    const rowtide_change *change;
    (void)sink;
    int rc = rowtide_changeset_iter_stream(source, 0, &iter);
    while (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_next(iter, &change);
    rowtide_changeset_iter_free(iter);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int choose_all(const char *table, void *user)
{
    (void)table, (void)user;
    return 1;
}

static int filter(rowtide_source *source, rowtide_sink *sink)
{
    return rowtide_changeset_filter_stream(source, choose_all, NULL, sink);
}

static int measure(const char *what,
                   int (*run)(rowtide_source *, rowtide_sink *))
{
    generator made = {.next = -1};
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    int64_t written = 0;
    struct rusage usage;
    clock_t start = clock();
    int rc = rowtide_source_callback(generate, &made, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_callback(count_bytes, &written, &sink);
    if (rc == ROWTIDE_OK)
        rc = run(source, sink);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    if (rc != ROWTIDE_OK) {
        fprintf(stderr, "bench: %s: %s\n", what, rowtide_error_message());
        return rc;
    }
    getrusage(RUSAGE_SELF, &usage);
    printf("| %s | %.0f | %.1f |\n", what,
           (double)RECORDS * RECORD_SIZE / seconds / 1e6,
           (double)usage.ru_maxrss / 1024);
    return ROWTIDE_OK;
}

int main(void)
{
    printf("\n### A changeset of 2.5 GiB as a stream\n\n"
           "| operation | MB/s | peak memory of the process, MiB |\n"
           "| --- | --- | --- |\n");
    if (measure("iterate", iterate) != ROWTIDE_OK
        || measure("invert", rowtide_changeset_invert_stream) != ROWTIDE_OK
        || measure("filter", filter) != ROWTIDE_OK)
        return 1;
    return 0;
}
