#include "support/changesets.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"                            \
    "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2), (3, 3, 3);"
#define ROWS "SELECT * FROM t ORDER BY 1"

static void applies_each_kind_and_its_inverse(void **state)
{
    (void)state;
    rowtide_db *source = scratch_db(SCHEMA), *target = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_record(
        source, "INSERT INTO t VALUES(4, x'00ff', 1.5);"
                "UPDATE t SET a = NULL WHERE id = 2; DELETE FROM t WHERE id=3");
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    assert_ok(rowtide_changeset_apply(target, changeset, NULL, &report));
    scratch_same(source, target, ROWS);
    assert_int_equal(rowtide_report_table_count(report), 1);
    assert_int_equal(rowtide_report_total(report).applied, 3);
    assert_int_equal(rowtide_report_total(report).omitted, 0);
    assert_null(rowtide_report_rebase(report, NULL));
    rowtide_report_free(report);
    options.flags = ROWTIDE_APPLY_INVERT;
    assert_ok(rowtide_changeset_apply(target, changeset, &options, NULL));
    assert_rows(target, ROWS, "1|'one'|1;2|'two'|2;3|3|3;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(source);
    rowtide_db_free(target);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies_each_kind_and_its_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
