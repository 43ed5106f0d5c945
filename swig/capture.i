%ignore rowtide_capture_options;
%ignore rowtide_diff_options;

%apply int VALUE {
    int rowtide_capture_is_open, int rowtide_capture_is_empty,
    int rowtide_capture_skipped_count
};
%apply const char **LABEL { const char **table, const char **reason };

%thread rowtide_capture_begin;
%thread rowtide_capture_end;
%thread rowtide_capture_end_stream;
%thread rowtide_capture_peek;
%thread rowtide_changeset_diff;
%thread rowtide_changeset_diff_stream;
%thread rowtide_changeset_diff_files;

%include <rowtide/capture.h>
