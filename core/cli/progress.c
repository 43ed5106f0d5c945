#include "cli.h"

#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 300, BAR_WIDTH = 30 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cli_progress_start(const cli_run *cli, cli_progress *progress)
{
    *progress = (cli_progress){.started = now_ms(),
                               .wanted = isatty(STDERR_FILENO)
                                         && !cli_has(cli, "quiet")
                                         && !cli_has(cli, "json")};
}

int cli_progress_draw(const rowtide_progress *at, void *user)
{
    cli_progress *progress = user;
    if (!progress->wanted || now_ms() - progress->started < PATIENCE_MS)
        return 0;
    progress->shown = 1;
    if (at->total <= 0) {
        fprintf(stderr, "\r\x1b[K%s: %lld", at->phase, (long long)at->done);
        return 0;
    }
    int filled = (int)((double)at->done / (double)at->total * BAR_WIDTH);
    fprintf(stderr, "\r\x1b[K%s [", at->phase);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%%",
            (int)((double)at->done / (double)at->total * 100));
    return 0;
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->shown)
        fputs("\r\x1b[K", stderr);
}
