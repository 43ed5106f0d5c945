/* One interface for every language. The include path decides whose lang.i and
 * typemaps.i are used; nothing here knows a language.
 *
 * The parameter names of the public headers are the contract: typemaps.i of
 * each language has a typemap for
 *
 *   int                                 a status: negative raises, else nothing
 *   int VALUE                           a plain number or truth value
 *   int TRUTH                           yes or no, negative raises
 *   int64_t POSITION                    a number, negative raises
 *   rowtide_<noun> *                    a handle, by ROWTIDE_HANDLE(<noun>)
 *   rowtide_<noun> **out                a new handle
 *   int64_t *COUNT                      a number that is handed back
 *   const char **LABEL                  a string or nothing, handed back
 *   (const void *data, size_t size)     bytes; also `json`
 *   (const void **bytes, size_t *size)  bytes that are handed back, copied
 *   (const rowtide_value *old_values, size_t old_count), new_values
 *   const rowtide_value *value, rowtide_value *value
 *   (const char *const *tables, size_t table_count)
 *   (rowtide_table_filter_cb filter, void *user)
 *   (rowtide_read_cb read, void *user), (rowtide_write_cb write, void *user)
 *   (rowtide_<noun> *const *<noun>s, size_t count)
 *   const rowtide_<what>_options *options
 *   const rowtide_audit_entry *entry
 *   rowtide_report_table, rowtide_report_table *out
 *   rowtide_change_counts *counts, rowtide_undo_step *out
 *   const rowtide_change **out
 *   unsigned char *site_id              the bytes of a site's name, handed back
 *   rowtide_crdt_change *change         a change, handed back if there is one
 *   const rowtide_crdt_change *change
 *   rowtide_buffer *buf_out             text that is handed back
 *   const char *const *columns          names
 *   const rowtide_plan_run_options *options, *run
 *                                       a progress callback
 *
 * and two macros: ROWTIDE_SHAPED(TYPE, SHAPE) for functions that return a
 * `const TYPE *`, made into the language's own by a shape, and
 * ROWTIDE_SHAPED_OPTIONS(TYPE, NAME) for `const TYPE *options`, read by the
 * shape of that name in schema_options.h.
 */
%module(threads="1") _native

%{
#include <rowtide.h>
%}

%include <stdint.i>
%include "lang.i"

%nothread;

%rename("%(regex:/^(?:rowtide_|ROWTIDE_)(.*)/\\1/)s") "";

%include "handles.i"
%include "typemaps.i"

%include "common.i"
%include "stream.i"
%include "db.i"
%include "changeset.i"
%include "capture.i"
%include "apply.i"
%include "render.i"
%include "audit.i"
%include "undo.i"
%include "replication.i"
%include "crdt.i"
%include "schema.i"
