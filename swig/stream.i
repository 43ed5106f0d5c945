%ignore rowtide_sink_buffer;

%thread rowtide_sink_close;

%include <rowtide/stream.h>
