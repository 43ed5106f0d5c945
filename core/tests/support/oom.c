#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide.h>
#include <sqlite3.h>

#include <stdlib.h>

enum { MOST_RUNS = 20000 };

typedef struct countdown {
    long left; /* allocations until one fails; negative: none does */
    long live;
    int failed;
} countdown;

static countdown ours, sqlites;
static sqlite3_mem_methods genuine;

static int fails_now(countdown *count)
{
    if (count->left < 0 || count->left-- != 0)
        return 0;
    count->failed = 1;
    return 1;
}

static void *counted(countdown *count, void *memory)
{
    count->live += memory != NULL;
    return memory;
}

static void *our_allocate(size_t size, void *user)
{
    return fails_now(user) ? NULL : counted(user, malloc(size));
}

static void *our_resize(void *memory, size_t size, void *user)
{
    if (fails_now(user))
        return NULL;
    return memory ? realloc(memory, size) : counted(user, malloc(size));
}

static void our_release(void *memory, void *user)
{
    countdown *count = user;
    count->live -= memory != NULL;
    free(memory);
}

static void *sqlite_allocate(int size)
{
    return fails_now(&sqlites) ? NULL
                               : counted(&sqlites, genuine.xMalloc(size));
}

static void *sqlite_resize(void *memory, int size)
{
    return fails_now(&sqlites) ? NULL : genuine.xRealloc(memory, size);
}

static void sqlite_release(void *memory)
{
    sqlites.live -= memory != NULL;
    genuine.xFree(memory);
}

static void install_in_sqlite(void)
{
    if (genuine.xMalloc)
        return;
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &genuine),
                     SQLITE_OK);
    sqlite3_mem_methods replacement = genuine;
    replacement.xMalloc = sqlite_allocate;
    replacement.xRealloc = sqlite_resize;
    replacement.xFree = sqlite_release;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &replacement),
                     SQLITE_OK);
    /* Lookaside would hide most allocations. */
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
}

static void check_run(const countdown *count, long run, int rc, long live)
{
    if (rc != ROWTIDE_OK && (rc != ROWTIDE_ENOMEM || !count->failed))
        fail_msg("allocation %ld: status %d (%s): %s", run, rc,
                 rowtide_error_name(rc), rowtide_error_message());
    if (rc != ROWTIDE_OK && rowtide_error_code() != rc)
        fail_msg("allocation %ld: status %d, but the last error is %d", run, rc,
                 rowtide_error_code());
    if (count->live != live)
        fail_msg("allocation %ld: %ld allocations leaked", run,
                 count->live - live);
}

static void run_loop(countdown *count, oom_scenario scenario, void *ctx)
{
    for (long run = 0; run < MOST_RUNS; run++) {
        long live = count->live;
        count->failed = 0;
        count->left = run;
        rowtide_error_clear();
        int rc = scenario(ctx);
        count->left = -1;
        check_run(count, run + 1, rc, live);
        if (!count->failed)
            return;
    }
    fail_msg("still out of memory after %d runs", MOST_RUNS);
}

void oom_loop(oom_scenario scenario, void *ctx)
{
    rowtide_allocator counting = {our_allocate, our_resize, our_release, &ours};
    ours.live = 0;
    ours.left = -1;
    assert_ok(rowtide_set_allocator(&counting));
    run_loop(&ours, scenario, ctx);
    assert_ok(rowtide_set_allocator(NULL));
}

void oom_loop_sqlite(oom_scenario scenario, void *ctx)
{
    sqlites.left = -1;
    install_in_sqlite();
    /* What SQLite sets up once and keeps is not a leak. */
    assert_ok(scenario(ctx));
    run_loop(&sqlites, scenario, ctx);
}
