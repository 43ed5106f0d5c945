#include "db/connection.h"

#include <rowtide/error.h>

int rowtide__code_from_sqlite(int sqlite_rc)
{
    switch (sqlite_rc & 0xff) {
    case SQLITE_OK:
        return ROWTIDE_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ROWTIDE_EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ROWTIDE_ECORRUPT;
    case SQLITE_CONSTRAINT:
        return ROWTIDE_ECONSTRAINT;
    case SQLITE_FULL:
        return ROWTIDE_EFULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return sqlite_rc == SQLITE_IOERR_NOMEM ? ROWTIDE_ENOMEM : ROWTIDE_EIO;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ROWTIDE_EREADONLY;
    case SQLITE_NOMEM:
        return ROWTIDE_ENOMEM;
    case SQLITE_INTERRUPT:
        return ROWTIDE_ECANCELLED;
    case SQLITE_TOOBIG:
        return ROWTIDE_ETOOBIG;
    case SQLITE_SCHEMA:
        return ROWTIDE_ESCHEMA;
    case SQLITE_MISUSE:
        return ROWTIDE_EMISUSE;
    case SQLITE_RANGE:
    case SQLITE_MISMATCH:
        return ROWTIDE_EINVAL;
    default:
        return ROWTIDE_ESQL;
    }
}
