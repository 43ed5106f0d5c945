%ignore rowtide_allocator;
%ignore rowtide_set_allocator;
%ignore rowtide_progress;
%ignore rowtide_buffer;
%ignore rowtide_buffer_dispose;
%ignore rowtide_value;
%ignore rowtide_value_integer;
%ignore rowtide_value_real;
%ignore rowtide_value_text;
%ignore rowtide_value_blob;
%ignore rowtide_value_null;
%ignore rowtide_value_undefined;
%ignore rowtide_value_equal;
%ignore rowtide_error_set;

%apply int VALUE {
    int rowtide_version_number, int rowtide_error_code,
    int rowtide_error_sqlite_code
};

%include <rowtide/common.h>
%include <rowtide/error.h>
%include <rowtide/buffer.h>
%include <rowtide/value.h>
