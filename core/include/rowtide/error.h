/**
 * @file rowtide/error.h
 * @brief One table of errors, and the message of the last one.
 *
 * The table below is the only list of errors: the C enumeration, the names,
 * the Python exception classes, the Lua codes, the exit statuses of the
 * command line and the page in the documentation are all made from it.
 */
#ifndef ROWTIDE_ERROR_H
#define ROWTIDE_ERROR_H

#include <rowtide/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * X(symbol, code, name, python class, python builtin base, meaning)
 *
 * `name` is what Lua returns as the third value and what Python has as
 * `.name`. Codes never change once released.
 */
#define ROWTIDE_ERROR_MAP(X)                                                   \
    X(ESQL, -1, "sql", SqlError, Exception, "SQLite refused a statement")      \
    X(EINVAL, -2, "invalid", InvalidError, ValueError,                         \
      "an argument is missing, out of range or of the wrong form")             \
    X(ENOMEM, -3, "no_memory", NoMemoryError, MemoryError, "memory ran out")   \
    X(EMISUSE, -4, "misuse", MisuseError, RuntimeError,                        \
      "a call was made at a moment when it is not allowed")                    \
    X(ECLOSED, -5, "closed", ClosedError, ValueError,                          \
      "the handle, or the connection under it, is closed")                     \
    X(EBUSY, -6, "busy", BusyError, TimeoutError,                              \
      "another connection holds the lock")                                     \
    X(ECORRUPT, -7, "corrupt", CorruptError, ValueError,                       \
      "bytes are not what they claim to be")                                   \
    X(ESCHEMA, -8, "schema", SchemaError, LookupError,                         \
      "a table or column is missing, has no primary key, or does not fit")     \
    X(ECONFLICT, -9, "conflict", ConflictError, RuntimeError,                  \
      "a change conflicts with the database and the policy was to abort")      \
    X(ECONSTRAINT, -10, "constraint", ConstraintError, ValueError,             \
      "a constraint of the database would be violated")                        \
    X(ENOTFOUND, -11, "not_found", NotFoundError, LookupError,                 \
      "what was named does not exist")                                         \
    X(EEXISTS, -12, "exists", ExistsError, ValueError,                         \
      "what should be made exists already")                                    \
    X(EFULL, -13, "full", FullError, OSError, "the disk is full")              \
    X(EIO, -14, "io", IoError, OSError, "reading or writing a file failed")    \
    X(EREADONLY, -15, "read_only", ReadOnlyError, PermissionError,             \
      "the database or file may not be written")                               \
    X(ETOOBIG, -16, "too_big", TooBigError, OverflowError,                     \
      "a value or result is over a limit")                                     \
    X(ECANCELLED, -17, "cancelled", CancelledError, RuntimeError,              \
      "the call was cancelled and undid what it had done")                     \
    X(ETHREAD, -18, "thread", ThreadError, RuntimeError,                       \
      "the handle is in use on another thread")                                \
    X(EFORK, -19, "fork", ForkError, RuntimeError,                             \
      "the handle was made in another process, before a fork")                 \
    X(EUNSUPPORTED, -20, "unsupported", UnsupportedError, RuntimeError,        \
      "the SQLite library that is loaded cannot do this")                      \
    X(EGAP, -21, "gap", GapError, RuntimeError,                                \
      "a numbered changeset is missing from the sequence")                     \
    X(EUSER, -22, "user", UserError, RuntimeError,                             \
      "a callback failed; in Python and Lua its own error is raised")          \
    X(EINTERNAL, -23, "internal", InternalError, RuntimeError,                 \
      "a fault in the library itself; please report it")

enum rowtide_status {
#define ROWTIDE_ERROR_ENUM(symbol, code, name, cls, base, text)                \
    ROWTIDE_##symbol = (code),
    ROWTIDE_ERROR_MAP(ROWTIDE_ERROR_ENUM)
#undef ROWTIDE_ERROR_ENUM
};

/** @return the code of this thread's last error, 0 if there was none. */
ROWTIDE_API int rowtide_error_code(void);

/**
 * @return the message of this thread's last error: one line that names the
 *  thing and the place, "" if there was none. Borrowed; valid until the next
 *  call of the library on this thread.
 */
ROWTIDE_API const char *rowtide_error_message(void);

/** @return SQLite's extended result code behind the last error, or 0. */
ROWTIDE_API int rowtide_error_sqlite_code(void);

/** @return the byte offset in the input (SQL text, changeset, JSON) that the
 *  last error points at, or -1 if it has none. */
ROWTIDE_API int64_t rowtide_error_offset(void);

/** @return the short name of a code, such as "corrupt"; "ok" for 0, "done"
 *  for 1, "unknown" for a number that is no code. */
ROWTIDE_API const char *rowtide_error_name(int code);

/** @return what a code means, in one line. */
ROWTIDE_API const char *rowtide_error_text(int code);

/**
 * Set this thread's last error: for callbacks that want their own words in
 * the error of the call that ran them.
 *
 * @param code a negative code
 * @param message one line, copied; cut at 1,000 bytes
 * @return `code`, so that a callback can end with `return
 *  rowtide_error_set(...)`
 */
ROWTIDE_API int rowtide_error_set(int code, const char *message);

/** Forget this thread's last error. */
ROWTIDE_API void rowtide_error_clear(void);

#ifdef __cplusplus
}
#endif

#endif
