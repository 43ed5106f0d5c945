#include "changeset/capture.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/stream.h"
#include "changeset/codec.h"
#include "db/sql.h"

#include <string.h>

static const unsigned KNOWN_FLAGS = ROWTIDE_CAPTURE_PATCHSET
                                    | ROWTIDE_CAPTURE_INDIRECT
                                    | ROWTIDE_CAPTURE_SIZE;

static void end_session(rowtide_capture *capture)
{
    sqlite3_session *session = capture->session;
    capture->session = NULL;
    if (session)
        sqlite3session_delete(session);
}

static void close_capture(rowtide__db_child *child)
{
    rowtide_capture *capture = (rowtide_capture *)child;
    capture->lost = capture->session != NULL;
    end_session(capture);
}

static void dispose_capture(rowtide__db_child *child)
{
    rowtide_capture *capture = (rowtide_capture *)child;
    if (!rowtide__db_is_forked(capture->db))
        end_session(capture);
    rowtide__capture_tables_free(capture);
    rowtide__free(capture->schema);
    rowtide__db_release(capture->db);
    rowtide__free(capture);
}

static int check_options(const rowtide_capture_options *options)
{
    if (options->size < offsetof(rowtide_capture_options, memory_limit)
                            + sizeof options->memory_limit)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "capture: options were not initialised with "
                             "ROWTIDE_CAPTURE_OPTIONS_INIT");
    if (options->flags & ~KNOWN_FLAGS)
        return rowtide__fail(ROWTIDE_EINVAL, "capture: unknown flags 0x%x",
                             options->flags & ~KNOWN_FLAGS);
    if (options->memory_limit < 0)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "capture: the memory limit is negative");
    return ROWTIDE_OK;
}

static int check_schema(rowtide_db *db, const char *schema)
{
    int64_t found = 0;
    int rc = rowtide__sql_integer(
        db, &found, 0,
        "SELECT 1 FROM pragma_database_list WHERE name=%Q COLLATE NOCASE"
        " UNION ALL SELECT 1 WHERE lower(%Q)='temp'",
        schema, schema);
    if (rc == ROWTIDE_OK && !found)
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "capture: there is no schema \"%s\"", schema);
    return rc;
}

static int make_session(rowtide_capture *capture)
{
    int on = 1;
    int code = sqlite3session_create(rowtide_db_sqlite(capture->db),
                                     capture->schema, &capture->session);
    if (code == SQLITE_OK && (capture->flags & ROWTIDE_CAPTURE_SIZE))
        code = sqlite3session_object_config(capture->session,
                                            SQLITE_SESSION_OBJCONFIG_SIZE, &on);
    if (code != SQLITE_OK)
        return rowtide__db_fail(capture->db, code, "capture");
    if (capture->flags & ROWTIDE_CAPTURE_INDIRECT)
        sqlite3session_indirect(capture->session, 1);
    return ROWTIDE_OK;
}

static int attach(rowtide_capture *capture,
                  const rowtide_capture_options *options)
{
    return options->tables ? rowtide__capture_attach(capture, options->tables,
                                                     options->table_count)
                           : rowtide__capture_attach_all(capture);
}

/* The filter may close the connection; the session must end before it does. */
static int attach_pinned(rowtide_capture *capture,
                         const rowtide_capture_options *options)
{
    sqlite3_stmt *pin;
    int rc = rowtide__db_pin(capture->db, &pin);
    if (rc == ROWTIDE_OK)
        rc = attach(capture, options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_check_open(capture->db, "capture");
    if (rc != ROWTIDE_OK)
        end_session(capture);
    sqlite3_finalize(pin);
    return rc;
}

static int start(rowtide_capture *capture,
                 const rowtide_capture_options *options)
{
    const char *schema = options->schema ? options->schema : "main";
    int rc = check_options(options);
    if (rc == ROWTIDE_OK && sqlite3_stricmp(schema, "main") != 0)
        rc = check_schema(capture->db, schema);
    if (rc != ROWTIDE_OK)
        return rc;
    capture->flags = options->flags;
    capture->filter = options->filter;
    capture->filter_user = options->filter_user;
    capture->memory_limit = options->memory_limit;
    capture->schema = rowtide__strdup(schema);
    rc = capture->schema ? make_session(capture) : ROWTIDE_ENOMEM;
    if (rc != ROWTIDE_OK)
        return rc;
    return capture->filter ? attach_pinned(capture, options)
                           : attach(capture, options);
}

static int begin(rowtide_db *db, const rowtide_capture_options *options,
                 rowtide_capture **out)
{
    rowtide_capture *capture = rowtide__alloc_zero(sizeof *capture);
    if (!capture)
        return ROWTIDE_ENOMEM;
    capture->db = rowtide__db_retain(db);
    capture->child.closed = close_capture;
    int rc = start(capture, options);
    if (rc != ROWTIDE_OK) {
        dispose_capture(&capture->child);
        return rc;
    }
    rowtide__db_attach_child(db, &capture->child);
    *out = capture;
    return ROWTIDE_OK;
}

int rowtide_capture_begin(rowtide_db *db,
                          const rowtide_capture_options *options,
                          rowtide_capture **out)
{
    static const rowtide_capture_options defaults =
        ROWTIDE_CAPTURE_OPTIONS_INIT;
    ROWTIDE__CHECK_ARG(out != NULL, "capture_begin");
    *out = NULL;
    int rc = rowtide__db_enter(db, "capture_begin");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = begin(db, options ? options : &defaults, out);
    rowtide__db_leave(db);
    return rc;
}

static int enter(rowtide_capture *capture, const char *function)
{
    if (!capture)
        return rowtide__fail(ROWTIDE_EINVAL, "%s: there is no capture",
                             function);
    if (capture->lost)
        return rowtide__fail(ROWTIDE_ECLOSED,
                             "%s: the capture ended when its connection was "
                             "closed",
                             function);
    int rc = rowtide__db_enter(capture->db, function);
    if (rc == ROWTIDE_OK && !capture->session) {
        rowtide__db_leave(capture->db);
        rc = rowtide__fail(ROWTIDE_EMISUSE, "%s: the capture has ended",
                           function);
    }
    return rc;
}

/* An error of a callback is not SQLite's. */
typedef struct output {
    rowtide_buffer *buffer;
    rowtide_sink *sink;
    int rc;
} output;

static int write_output(void *user, const void *data, int size)
{
    output *out = user;
    out->rc = out->buffer
                  ? rowtide__buffer_append(out->buffer, data, (size_t)size)
                  : rowtide__sink_write(out->sink, data, (size_t)size);
    return out->rc == ROWTIDE_OK ? SQLITE_OK : SQLITE_ABORT;
}

static int check_recording(rowtide_capture *capture)
{
    if (capture->failed) {
        rowtide__error_restore(&capture->error);
        return rowtide__fail_context("capture");
    }
    int64_t used = sqlite3session_memory_used(capture->session);
    if (capture->memory_limit && used > capture->memory_limit)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "capture: the recording took %lld bytes of "
                             "memory, the limit is %lld",
                             (long long)used, (long long)capture->memory_limit);
    return ROWTIDE_OK;
}

/* SQLite reads within a savepoint, and when memory is short does not notice
 * that it could not release it. */
static int run_session(rowtide_capture *capture, output *out, int *code)
{
    sqlite3 *sqlite = rowtide_db_sqlite(capture->db);
    int autocommit = sqlite3_get_autocommit(sqlite);
    *code = capture->flags & ROWTIDE_CAPTURE_PATCHSET
                ? sqlite3session_patchset_strm(capture->session, write_output,
                                               out)
                : sqlite3session_changeset_strm(capture->session, write_output,
                                                out);
    if (autocommit && !sqlite3_get_autocommit(sqlite))
        return rowtide__sql_exec(capture->db, "COMMIT");
    return ROWTIDE_OK;
}

static int generate(rowtide_capture *capture, output *out)
{
    int code = SQLITE_OK, rc = check_recording(capture);
    if (rc == ROWTIDE_OK)
        rc = run_session(capture, out, &code);
    if (rc != ROWTIDE_OK)
        return rc;
    if (out->rc != ROWTIDE_OK)
        return out->rc;
    if (code == SQLITE_SCHEMA)
        return rowtide__capture_fail_altered(capture);
    if (code != SQLITE_OK)
        return rowtide__db_fail(capture->db, code, "capture");
    return out->sink ? rowtide__sink_flush(out->sink) : ROWTIDE_OK;
}

static int make_changeset(rowtide_capture *capture, rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    output to = {&bytes, NULL, ROWTIDE_OK};
    int rc = generate(capture, &to);
    if (rc == ROWTIDE_OK) {
        rc = rowtide__changeset_take(&bytes, out);
        if (rc != ROWTIDE_OK)
            rowtide__fail_context("capture: SQLite recorded what it should "
                                  "not have");
    }
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_capture_end(rowtide_capture *capture, rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "capture_end");
    *out = NULL;
    int rc = enter(capture, "capture_end");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_changeset(capture, out);
    end_session(capture);
    rowtide__db_leave(capture->db);
    return rc;
}

int rowtide_capture_end_stream(rowtide_capture *capture, rowtide_sink *sink)
{
    ROWTIDE__CHECK_ARG(sink != NULL, "capture_end_stream");
    int rc = enter(capture, "capture_end_stream");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_stmt *pin;
    output to = {NULL, sink, ROWTIDE_OK};
    rc = rowtide__db_pin(capture->db, &pin);
    if (rc == ROWTIDE_OK)
        rc = generate(capture, &to);
    end_session(capture);
    sqlite3_finalize(pin);
    rowtide__db_leave(capture->db);
    return rc;
}

int rowtide_capture_peek(rowtide_capture *capture, rowtide_changeset **out)
{
    ROWTIDE__CHECK_ARG(out != NULL, "capture_peek");
    *out = NULL;
    int rc = enter(capture, "capture_peek");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_changeset(capture, out);
    rowtide__db_leave(capture->db);
    return rc;
}

int rowtide_capture_cancel(rowtide_capture *capture)
{
    ROWTIDE__CHECK_ARG(capture != NULL, "capture_cancel");
    if (!capture->session)
        return ROWTIDE_OK;
    int rc = enter(capture, "capture_cancel");
    if (rc != ROWTIDE_OK)
        return rc;
    end_session(capture);
    rowtide__db_leave(capture->db);
    return ROWTIDE_OK;
}

void rowtide_capture_free(rowtide_capture *capture)
{
    if (capture)
        rowtide__db_discard(capture->db, &capture->child, dispose_capture);
}

int rowtide_capture_set_indirect(rowtide_capture *capture, int indirect)
{
    int rc = enter(capture, "capture_set_indirect");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3session_indirect(capture->session, indirect != 0);
    rowtide__db_leave(capture->db);
    return ROWTIDE_OK;
}

int rowtide_capture_set_enabled(rowtide_capture *capture, int enabled)
{
    int rc = enter(capture, "capture_set_enabled");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3session_enable(capture->session, enabled != 0);
    rowtide__db_leave(capture->db);
    return ROWTIDE_OK;
}

int rowtide_capture_is_open(const rowtide_capture *capture)
{
    return capture && capture->session;
}

int rowtide_capture_is_empty(rowtide_capture *capture)
{
    int rc = enter(capture, "capture_is_empty");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = sqlite3session_isempty(capture->session);
    rowtide__db_leave(capture->db);
    return rc;
}

int64_t rowtide_capture_memory_used(rowtide_capture *capture)
{
    int rc = enter(capture, "capture_memory_used");
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t used = sqlite3session_memory_used(capture->session);
    rowtide__db_leave(capture->db);
    return used;
}

int64_t rowtide_capture_size(rowtide_capture *capture)
{
    int rc = enter(capture, "capture_size");
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t size = capture->flags & ROWTIDE_CAPTURE_SIZE
                       ? sqlite3session_changeset_size(capture->session)
                       : -1;
    rowtide__db_leave(capture->db);
    return size;
}

static int list_skipped(rowtide_capture *capture, const char *function)
{
    ROWTIDE__CHECK_ARG(capture != NULL, function);
    if (capture->skipped)
        return ROWTIDE_OK;
    int rc = rowtide__db_enter(capture->db, function);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__capture_list_skipped(capture);
    rowtide__db_leave(capture->db);
    return rc;
}

int rowtide_capture_skipped_count(rowtide_capture *capture)
{
    int rc = list_skipped(capture, "capture_skipped_count");
    return rc == ROWTIDE_OK ? capture->skipped_count : rc;
}

int rowtide_capture_skipped(rowtide_capture *capture, int index,
                            const char **table, const char **reason)
{
    ROWTIDE__CHECK_ARG(table != NULL, "capture_skipped");
    ROWTIDE__CHECK_ARG(reason != NULL, "capture_skipped");
    *table = *reason = NULL;
    int rc = list_skipped(capture, "capture_skipped");
    if (rc != ROWTIDE_OK)
        return rc;
    if (index < 0 || index >= capture->skipped_count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "capture_skipped: no table %d, there are %d",
                             index, capture->skipped_count);
    *table = capture->skipped[2 * index];
    *reason = capture->skipped[2 * index + 1];
    return ROWTIDE_OK;
}
