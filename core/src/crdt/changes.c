#include "crdt/vtab.h"
#include "base/error.h"

#include <string.h>

enum {
    TABLE,
    PK,
    CID,
    VAL,
    COL_VERSION,
    DB_VERSION,
    SITE_ID,
    CL,
    SEQ,
    COLUMNS
};

/* What a plan uses; arguments come in this order. */
enum {
    BY_TABLE = 1,
    BY_PK = 2,
    VERSION_GT = 4,
    VERSION_GE = 8,
    VERSION_LT = 16,
    VERSION_LE = 32,
    VERSION_EQ = 64,
    SITE_EQ = 128,
    SITE_NE = 256,
    SITE_NULL = 512, /* without an argument */
    DESCENDING = 1024
};

typedef struct changes_cursor {
    sqlite3_vtab_cursor base;
    rowtide__reader *reader;
    rowtide_crdt_change change;
    int ended;
} changes_cursor;

/* The column site_id may be NULL so that SQLite asks us about IS NULL. */
static const char DECLARATION[] =
    "CREATE TABLE x([table] TEXT NOT NULL, [pk] BLOB NOT NULL, "
    "[cid] TEXT NOT NULL, [val] ANY, [col_version] INTEGER NOT NULL, "
    "[db_version] INTEGER NOT NULL, [site_id] BLOB, [cl] INTEGER NOT NULL, "
    "[seq] INTEGER NOT NULL)";

static int connect_changes(sqlite3 *sqlite, void *engine, int argc,
                           const char *const *argv, sqlite3_vtab **out,
                           char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    return rowtide__vtab_connect(sqlite, engine, DECLARATION, out);
}

/* ## Planning */

static int plan_of_version(int op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_GT:
        return VERSION_GT;
    case SQLITE_INDEX_CONSTRAINT_GE:
        return VERSION_GE;
    case SQLITE_INDEX_CONSTRAINT_LT:
        return VERSION_LT;
    case SQLITE_INDEX_CONSTRAINT_LE:
        return VERSION_LE;
    case SQLITE_INDEX_CONSTRAINT_EQ:
    case SQLITE_INDEX_CONSTRAINT_IS:
        return VERSION_EQ;
    default:
        return 0;
    }
}

static int plan_of_site(int op)
{
    switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
    case SQLITE_INDEX_CONSTRAINT_IS:
        return SITE_EQ;
    case SQLITE_INDEX_CONSTRAINT_NE:
    case SQLITE_INDEX_CONSTRAINT_ISNOT:
        return SITE_NE;
    case SQLITE_INDEX_CONSTRAINT_ISNULL:
        return SITE_NULL;
    default:
        return 0;
    }
}

static int plan_of(sqlite3_index_info *info, int place)
{
    int op = info->aConstraint[place].op;
    int equal = op == SQLITE_INDEX_CONSTRAINT_EQ
                || op == SQLITE_INDEX_CONSTRAINT_IS;
    const char *collation = sqlite3_vtab_collation(info, place);
    if (!info->aConstraint[place].usable
        || (collation && strcmp(collation, "BINARY") != 0))
        return 0;
    switch (info->aConstraint[place].iColumn) {
    case TABLE:
        return equal ? BY_TABLE : 0;
    case PK:
        return equal ? BY_PK : 0;
    case DB_VERSION:
        return plan_of_version(op);
    case SITE_ID:
        return plan_of_site(op);
    default:
        return 0;
    }
}

/* Changes come by db_version and seq, all upwards or all downwards. */
static void plan_order(sqlite3_index_info *info, int *plan)
{
    static const int ORDER[] = {DB_VERSION, SEQ};
    if (info->nOrderBy < 1 || info->nOrderBy > 2)
        return;
    for (int i = 0; i < info->nOrderBy; i++)
        if (info->aOrderBy[i].iColumn != ORDER[i]
            || info->aOrderBy[i].desc != info->aOrderBy[0].desc)
            return;
    if (info->aOrderBy[0].desc)
        *plan |= DESCENDING;
    info->orderByConsumed = 1;
}

static void plan_cost(sqlite3_index_info *info, int plan)
{
    double rows = 1000000;
    if ((plan & BY_TABLE) && (plan & BY_PK))
        rows = 4;
    else if (plan & VERSION_EQ)
        rows = 50;
    else if (plan & (VERSION_GT | VERSION_GE))
        rows = 1000;
    else if (plan & BY_TABLE)
        rows = 100000;
    info->estimatedCost = rows;
    info->estimatedRows = (sqlite3_int64)rows;
}

static int best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    int plan = 0, next = 1, places[10] = {0};
    (void)vtab;
    for (int i = 0; i < info->nConstraint; i++) {
        int use = plan_of(info, i);
        for (int bit = 0; use && !(plan & use) && bit < 10; bit++)
            if (use == 1 << bit)
                places[bit] = i;
        plan |= use;
    }
    if (!(plan & BY_TABLE))
        plan &= ~BY_PK;
    for (int bit = 0; bit < 10; bit++) {
        struct sqlite3_index_constraint_usage *usage;
        if (!(plan & 1 << bit))
            continue;
        usage = &info->aConstraintUsage[places[bit]];
        usage->argvIndex = next++;
        /* That a site is NULL holds for none, by value. */
        usage->omit = 1 << bit == SITE_NULL
                      || (1 << bit == SITE_EQ
                          && info->aConstraint[places[bit]].op
                                 == SQLITE_INDEX_CONSTRAINT_IS);
    }
    plan_order(info, &plan);
    plan_cost(info, plan);
    info->idxNum = plan;
    return SQLITE_OK;
}

/* ## Reading */

static int open_changes(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    return rowtide__vtab_open(sizeof(changes_cursor), out);
}

static void end_reading(changes_cursor *cursor)
{
    if (!cursor->reader)
        return;
    rowtide__vtab_engine(cursor->base.pVtab)->reading--;
    rowtide__reader_free(cursor->reader);
    cursor->reader = NULL;
}

static int close_changes(sqlite3_vtab_cursor *base)
{
    changes_cursor *cursor = (changes_cursor *)base;
    end_reading(cursor);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* Bounds that are no integers are left to SQLite. */
static void bound_version(rowtide__filter *filter, int use,
                          sqlite3_value *value)
{
    if (sqlite3_value_type(value) != SQLITE_INTEGER)
        return;
    int64_t version = sqlite3_value_int64(value);
    int64_t before = version == INT64_MIN ? INT64_MIN : version - 1;
    if (use == VERSION_GT && version > filter->since)
        filter->since = version;
    if ((use == VERSION_GE || use == VERSION_EQ) && before > filter->since)
        filter->since = before;
    if (use == VERSION_LT && before < filter->until)
        filter->until = before;
    if ((use == VERSION_LE || use == VERSION_EQ) && version < filter->until)
        filter->until = version;
}

/* 0 if nothing can be equal to the value. */
static int bound_site(rowtide__filter *filter, int use, sqlite3_value *value)
{
    int type = sqlite3_value_type(value);
    if (use == SITE_NULL || (use == SITE_EQ && type == SQLITE_NULL)) {
        filter->site_mode = ROWTIDE__SITE_IS;
        filter->site = NULL;
        return 1;
    }
    size_t size = type == SQLITE_BLOB ? (size_t)sqlite3_value_bytes(value) : 0;
    if (size == 0 || size > ROWTIDE_SITE_ID_SIZE)
        return use == SITE_NE;
    filter->site_mode = use == SITE_EQ ? ROWTIDE__SITE_IS
                                       : ROWTIDE__SITE_IS_NOT;
    filter->site = sqlite3_value_blob(value);
    filter->site_size = size;
    return 1;
}

static int bound_key(rowtide__filter *filter, int use, sqlite3_value *value)
{
    if (use == BY_TABLE) {
        filter->table = (const char *)sqlite3_value_text(value);
        return filter->table != NULL;
    }
    if (sqlite3_value_type(value) != SQLITE_BLOB)
        return 0;
    filter->pk_size = (size_t)sqlite3_value_bytes(value);
    filter->pk = filter->pk_size > 0 ? sqlite3_value_blob(value) : "";
    return 1;
}

static int read_plan(rowtide__filter *filter, int plan, sqlite3_value **argv)
{
    int possible = 1;
    for (int bit = 0; bit < 10; bit++) {
        int use = 1 << bit;
        if (!(plan & use))
            continue;
        if (use <= BY_PK)
            possible &= bound_key(filter, use, *argv++);
        else if (use <= VERSION_EQ)
            bound_version(filter, use, *argv++);
        else if (use == SITE_NE && filter->site_mode != ROWTIDE__SITE_ANY)
            argv++;
        else if (use == SITE_NULL && filter->site_mode == ROWTIDE__SITE_IS
                 && filter->site)
            possible = 0;
        else
            possible &= bound_site(filter, use, *argv++);
    }
    filter->descending = (plan & DESCENDING) != 0;
    return possible;
}

static int next_change(sqlite3_vtab_cursor *base)
{
    changes_cursor *cursor = (changes_cursor *)base;
    int rc = rowtide__reader_next(cursor->reader, &cursor->change);
    cursor->ended = rc != ROWTIDE_OK;
    return rowtide__vtab_end_call(base->pVtab, rc);
}

static int filter_changes(sqlite3_vtab_cursor *base, int plan,
                          const char *unused, int argc, sqlite3_value **argv)
{
    changes_cursor *cursor = (changes_cursor *)base;
    rowtide__filter filter = ROWTIDE__FILTER_INIT;
    (void)unused;
    (void)argc;
    end_reading(cursor);
    cursor->ended = 1;
    if (!read_plan(&filter, plan, argv))
        return SQLITE_OK;
    rowtide__crdt *engine = rowtide__vtab_engine(base->pVtab);
    int rc = rowtide__reader_open(engine, &filter, &cursor->reader);
    if (rc != ROWTIDE_OK)
        return rowtide__vtab_end_call(base->pVtab, rc);
    engine->reading++;
    return next_change(base);
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    return ((changes_cursor *)base)->ended;
}

static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                       int column)
{
    changes_cursor *cursor = (changes_cursor *)base;
    const rowtide_crdt_change *change = &cursor->change;
    switch (column) {
    case TABLE:
        sqlite3_result_text(context, change->table, -1, SQLITE_TRANSIENT);
        break;
    case PK:
        sqlite3_result_blob64(context, change->pk, change->pk_size,
                              SQLITE_TRANSIENT);
        break;
    case CID:
        sqlite3_result_text(context, change->column, -1, SQLITE_TRANSIENT);
        break;
    case VAL:
        return rowtide__vtab_end_call(
            base->pVtab, rowtide__reader_result(cursor->reader, context));
    case COL_VERSION:
        sqlite3_result_int64(context, change->column_version);
        break;
    case DB_VERSION:
        sqlite3_result_int64(context, change->db_version);
        break;
    case SITE_ID:
        sqlite3_result_blob64(context, change->site_id, change->site_id_size,
                              SQLITE_TRANSIENT);
        break;
    case CL:
        sqlite3_result_int64(context, change->causal_length);
        break;
    default:
        sqlite3_result_int64(context, change->sequence);
    }
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = rowtide__reader_rowid(((changes_cursor *)base)->reader);
    return SQLITE_OK;
}

/* ## Writing */

static int read_change(sqlite3_value **argv, rowtide_crdt_change *change)
{
    change->table = (const char *)sqlite3_value_text(argv[TABLE]);
    change->pk = sqlite3_value_blob(argv[PK]);
    change->pk_size = (size_t)sqlite3_value_bytes(argv[PK]);
    change->column = (const char *)sqlite3_value_text(argv[CID]);
    change->column_version = sqlite3_value_int64(argv[COL_VERSION]);
    change->db_version = sqlite3_value_int64(argv[DB_VERSION]);
    change->site_id = sqlite3_value_blob(argv[SITE_ID]);
    change->site_id_size = (size_t)sqlite3_value_bytes(argv[SITE_ID]);
    change->causal_length = sqlite3_value_int64(argv[CL]);
    change->sequence = sqlite3_value_int64(argv[SEQ]);
    return rowtide__crdt_argument(argv[VAL], &change->value);
}

static int update_changes(sqlite3_vtab *vtab, int argc, sqlite3_value **argv,
                          sqlite3_int64 *rowid)
{
    rowtide_crdt_change change;
    int won;
    if (argc != COLUMNS + 2 || sqlite3_value_type(argv[0]) != SQLITE_NULL) {
        sqlite3_free(vtab->zErrMsg);
        vtab->zErrMsg = sqlite3_mprintf(
            "Only INSERT and SELECT statements are allowed "
            "against the crsql changes table");
        return SQLITE_MISUSE;
    }
    memset(&change, 0, sizeof change);
    int rc = read_change(argv + 2, &change);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_merge_change(rowtide__vtab_engine(vtab), &change,
                                        &won);
    *rowid = 0;
    return rowtide__vtab_end_call(vtab, rc);
}

/* ## The transaction */

static int begin_changes(sqlite3_vtab *vtab)
{
    rowtide__crdt_begin(rowtide__vtab_engine(vtab));
    return SQLITE_OK;
}

static int sync_changes(sqlite3_vtab *vtab)
{
    rowtide__crdt *engine = rowtide__vtab_engine(vtab);
    int rc = ROWTIDE_OK;
    if (engine->failed)
        rc = rowtide__fail(ROWTIDE_EMISUSE,
                           "a write could not be tracked: this transaction "
                           "has to be rolled back");
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_commit(engine);
    /* What is not swept now will be another time. */
    if (rc == ROWTIDE_OK && rowtide__crdt_sweep(engine) != ROWTIDE_OK)
        rowtide_error_clear();
    return rowtide__vtab_end_call(vtab, rc);
}

static int commit_changes(sqlite3_vtab *vtab)
{
    rowtide__crdt_end_transaction(rowtide__vtab_engine(vtab), 1);
    return SQLITE_OK;
}

static int rollback_changes(sqlite3_vtab *vtab)
{
    rowtide__crdt_end_transaction(rowtide__vtab_engine(vtab), 0);
    return SQLITE_OK;
}

static int savepoint_changes(sqlite3_vtab *vtab, int number)
{
    return rowtide__vtab_end_call(
        vtab, rowtide__crdt_savepoint(rowtide__vtab_engine(vtab), number));
}

static int release_changes(sqlite3_vtab *vtab, int number)
{
    return rowtide__vtab_end_call(
        vtab,
        rowtide__crdt_release_savepoint(rowtide__vtab_engine(vtab), number));
}

static int rollback_to_changes(sqlite3_vtab *vtab, int number)
{
    rowtide__crdt_rollback_to(rowtide__vtab_engine(vtab), number);
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .iVersion = 2,
    .xConnect = connect_changes,
    .xBestIndex = best_index,
    .xDisconnect = rowtide__vtab_disconnect,
    .xOpen = open_changes,
    .xClose = close_changes,
    .xFilter = filter_changes,
    .xNext = next_change,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
    .xUpdate = update_changes,
    .xBegin = begin_changes,
    .xSync = sync_changes,
    .xCommit = commit_changes,
    .xRollback = rollback_changes,
    .xSavepoint = savepoint_changes,
    .xRelease = release_changes,
    .xRollbackTo = rollback_to_changes,
};

int rowtide__crdt_add_changes(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "crsql_changes", &MODULE);
}
