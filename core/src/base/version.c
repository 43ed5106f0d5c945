#include <rowtide/common.h>

const char *rowtide_version(void)
{
    return ROWTIDE_VERSION;
}

int rowtide_version_number(void)
{
    return ROWTIDE_VERSION_NUMBER;
}
