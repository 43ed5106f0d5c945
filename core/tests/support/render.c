#include "support/render.h"
#include "support/recording.h"
#include "support/scratch.h"

#include "changeset/codec.h"

#include <float.h>
#include <math.h>
#include <string.h>

rowtide_buffer render_all(render_function to, rowtide_changeset *changeset,
                          const rowtide_render_options *options)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset),
                                    rowtide_changeset_size(changeset),
                                    &source));
    assert_ok(rowtide_sink_buffer(&out, &sink));
    assert_ok(to(source, options, sink));
    assert_ok(rowtide_sink_close(sink));
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    return out;
}

void assert_contains(const rowtide_buffer *text, const char *part)
{
    if (!text->data || !strstr(text->data, part))
        fail_msg("\"%s\" is not in:\n%s", part, text->data);
}

void assert_lacks(const rowtide_buffer *text, const char *part)
{
    if (text->data && strstr(text->data, part))
        fail_msg("\"%s\" is in:\n%s", part, text->data);
}

rowtide_changeset *awkward_changeset(void)
{
    static const unsigned char key[] = {1, 0};
    const rowtide_value values[] = {
        rowtide_value_null(),
        rowtide_value_integer(INT64_MIN),
        rowtide_value_integer(INT64_MAX),
        rowtide_value_integer((INT64_C(1) << 53) + 1),
        rowtide_value_real(0.0),
        rowtide_value_real(-0.0),
        rowtide_value_real(0.1),
        rowtide_value_real(1e22),
        rowtide_value_real(5e-324),
        rowtide_value_real(DBL_MAX),
        rowtide_value_real(DBL_MIN),
        rowtide_value_real(100.0),
        rowtide_value_real(INFINITY),
        rowtide_value_real(-INFINITY),
        rowtide_value_text(""),
        {.type = ROWTIDE_TEXT, .data = "a\0b", .size = 3},
        {.type = ROWTIDE_TEXT, .data = "\xff\xc0\x80", .size = 3},
        {.type = ROWTIDE_TEXT, .data = "\xed\xa0\x80", .size = 3},
        rowtide_value_text("\x1b[31m\"\\\n\t\r\b\f'<&>\x7f"),
        rowtide_value_text("\xc2\x9b Å 漢 😀 \xe2\x80\xae"),
        rowtide_value_blob("", 0),
        rowtide_value_blob("\0\xff", 2)};
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        rowtide_value row[] = {rowtide_value_integer((int64_t)i), values[i]};
        rowtide_change change = {.table = "odd \"table\"",
                                 .kind = ROWTIDE_CHANGE_INSERT,
                                 .indirect = i % 2,
                                 .column_count = 2,
                                 .primary_key = key,
                                 .new_values = row};
        if (i < 4 || i % 3 == 0)
            assert_ok(rowtide__encode_table(&bytes, 0, change.table, 2, key));
        assert_ok(rowtide__encode_change(&bytes, 0, &change));
    }
    rowtide_changeset *changeset = changeset_from(bytes.data, bytes.size);
    rowtide_buffer_dispose(&bytes);
    return changeset;
}
