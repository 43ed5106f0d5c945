---@meta rowtide

-- What the Lua module offers, in the notation of the Lua language server.
--
-- `fail` is nil, followed by a message and the name of an error. Wrong use
-- raises an error, and so do operators and iterators.

---@alias fail nil

---What SQL has: `rowtide.null` stands for NULL, `rowtide.blob(bytes)` for bytes
---that are no text. On Lua 5.1 and LuaJIT integers beyond 2^53 are strings of
---decimal digits.
---@alias rowtide.Value string|number|boolean|rowtide.Blob|rowtide.Null|rowtide.Real|rowtide.Integer

---Bytes in chunks: a changeset; a function that returns the next string, and nil
---at the end; an open file of Lua; or `rowtide.file(path)`.
---@alias rowtide.Source rowtide.Changeset|(fun(): string?)|file*|rowtide.File

---Where chunks go: a function that takes a string; an open file of Lua; or
---`rowtide.file(path)`, which takes its place when it is complete.
---@alias rowtide.Sink (fun(chunk: string): boolean?)|file*|rowtide.File

---What to do about a conflict. `"replace"` is allowed for the kinds data and
---conflict only.
---@alias rowtide.Action "omit"|"replace"|"abort"

---data: the row has other values. not_found: there is no such row. conflict: the
---row to be inserted is there already. constraint: a constraint says no.
---foreign_key: once, at the end, foreign keys are violated.
---@alias rowtide.ConflictKind "data"|"not_found"|"conflict"|"constraint"|"foreign_key"

---@class rowtide.Null NULL

---Bytes that are stored as a BLOB. `tostring`, `==`, `..` and `:bytes()` work.
---@class rowtide.Blob

---@class rowtide.Real a number that is stored as REAL

---@class rowtide.Integer an integer in decimal digits

---@class rowtide.File a file by its path

---A change of one row. Columns that an UPDATE left alone are nil in `old` and
---`new`, but for the primary key, which is in `old`; NULL is `rowtide.null`.
---@class rowtide.Change
---@field table string
---@field kind "insert"|"update"|"delete"
---@field indirect boolean made by a trigger or a foreign key action
---@field n integer how many columns there are
---@field primary_key integer[] the columns of the key, counted from 1, in its order
---@field old table<integer, rowtide.Value>? nil for an insert
---@field new table<integer, rowtide.Value>? nil for a delete
---@field offset integer where it is in the bytes

---@class rowtide.Conflict
---@field kind rowtide.ConflictKind
---@field message string one line that says what is the matter
---@field table string? not for foreign_key
---@field change rowtide.Change? not for foreign_key
---@field conflicting table<integer, rowtide.Value>? the row that is there, for data and conflict
---@field foreign_key_count integer violations, for foreign_key

---@class rowtide.Progress
---@field phase string
---@field done integer
---@field total integer?
---@field label string?

---@class rowtide.OpenOptions
---@field read_only boolean?
---@field must_exist boolean? do not create the file
---@field busy_timeout integer? milliseconds to wait for a lock, 5000 if not said

---@class rowtide.CaptureOptions
---@field tables string|string[]? all that have a primary key if not said
---@field filter (fun(table: string): boolean)? asked once for each table
---@field schema string? "main" if not said
---@field patchset boolean? smaller, but cannot be inverted
---@field indirect boolean? mark every change as indirect
---@field measure boolean? count the bytes, for `capture:size()`
---@field memory_limit integer? in bytes
---@field sink rowtide.Sink? for `db:capture`: write the changeset there

---@class rowtide.ApplyOptions
---@field on_conflict rowtide.Action|table<rowtide.ConflictKind, rowtide.Action>|(fun(conflict: rowtide.Conflict): rowtide.Action)? any conflict aborts if not said
---@field tables string|string[]? apply only these
---@field filter (fun(table: string): boolean)? choose tables
---@field change_filter (fun(change: rowtide.Change): boolean)? choose changes
---@field progress (fun(progress: rowtide.Progress): boolean?)? false cancels
---@field invert boolean? apply the inverse
---@field ignore_noop boolean? what is so already is no conflict
---@field fk_no_action boolean? ON DELETE and ON UPDATE actions do not run
---@field no_triggers boolean? triggers do not fire
---@field skip_indirect boolean? leave out indirect changes
---@field skip_misfits boolean? leave out tables that do not fit, and report them

---@class rowtide.ReportTable
---@field table string
---@field applied integer
---@field omitted integer
---@field replaced integer
---@field skipped integer
---@field skip_reason string?

---What an apply did.
---@class rowtide.Report
---@field applied integer
---@field omitted integer
---@field replaced integer
---@field skipped integer
---@field tables table<string, rowtide.ReportTable>
---@field rebase string what `changeset:rebase` needs

---@class rowtide.DiffOptions
---@field tables string|string[]?
---@field filter (fun(table: string): boolean)?
---@field patchset boolean?
---@field progress (fun(progress: rowtide.Progress): boolean?)?
---@field sink rowtide.Sink? for `db:diff`: write the changeset there

---@class rowtide.RenderOptions
---@field names rowtide.Db? where column names come from
---@field color boolean? for text: ANSI colours
---@field compact boolean? for JSON: without line breaks inside a change
---@field limit integer? at most so many changes in text and HTML
---@field title string? of the HTML page
---@field sink rowtide.Sink? write there, and return true

---A change to merge: a cell that was set, a row that was made or deleted.
---@class rowtide.CrdtChange
---@field table string
---@field pk string the primary key, packed
---@field column string its name; "-1" is the row itself
---@field value rowtide.Value `rowtide.null` for the row itself
---@field column_version integer how often the cell was changed
---@field db_version integer when: a version of the database that gave it
---@field site_id string? who made it; nil is the database that merges it
---@field causal_length integer odd: the row is alive; even: deleted
---@field sequence integer its place in `db_version`

---@class rowtide.PullOptions
---@field since integer? changes with a greater version
---@field until_ integer? and at most this one
---@field exclude string? not what this site made
---@field tables string|string[]? all if not said
---@field only_local boolean? only what this database made

---@class rowtide.PayloadOptions: rowtide.PullOptions
---@field chunk_size integer? bytes before a chunk is closed, 256 KiB if not said
---@field sink rowtide.Sink? write there, and return true

---@class rowtide.MergeReportTable
---@field table string
---@field applied integer
---@field ignored integer

---What a merge did.
---@class rowtide.MergeReport
---@field count integer changes that were read
---@field applied integer changes that won
---@field ignored integer changes that were known already, or lost
---@field version integer the greatest version that was read: what to pull from next
---@field tables table<string, rowtide.MergeReportTable>

---@class rowtide.Peer
---@field site_id string
---@field received integer the version up to which its changes are here
---@field acknowledged integer the version of this database that it is known to have

---How SQLite treats the values of a column.
---@alias rowtide.Affinity "blob"|"text"|"numeric"|"integer"|"real"

---What a change does to the rows. checked: rows may be in the way. lossy: values
---may be converted. destructive: rows or values go.
---@alias rowtide.Effect "additive"|"safe"|"checked"|"lossy"|"destructive"

---@alias rowtide.SchemaObject "table"|"column"|"key"|"check"|"foreign_key"|"index"|"trigger"|"view"|"virtual_table"

---What is nil in SQL or was not written is nil here. Lists of things with names
---are looked at by place and by name: `columns[1]`, `columns.email`.
---@class rowtide.Column
---@field name string
---@field type string as declared, "" if it has none
---@field affinity rowtide.Affinity
---@field not_null boolean
---@field primary_key integer its place in the primary key, 0 if it is no part of it
---@field default_sql string? as written
---@field collation string? as declared
---@field generated_as string? the expression of a generated column
---@field stored boolean of a generated column: STORED, not VIRTUAL
---@field hidden boolean of a virtual table
---@field sql string? its whole definition

---@class rowtide.IndexedColumn
---@field name string? nil if it is an expression
---@field expression string? nil if it is a column
---@field collation string?
---@field descending boolean

---PRIMARY KEY or UNIQUE.
---@class rowtide.Key
---@field name string? of the constraint
---@field primary boolean
---@field columns rowtide.IndexedColumn[]
---@field on_conflict string?
---@field autoincrement boolean

---@class rowtide.Check
---@field name string? of the constraint
---@field column string? that it is written at
---@field expression string

---@class rowtide.ForeignKey
---@field name string? of the constraint
---@field columns string[]
---@field table string that it refers to
---@field table_columns string[] empty: its primary key
---@field on_delete string?
---@field on_update string?
---@field match string?
---@field deferral string?
---@field relation boolean declared in a model, no constraint unless foreign keys are asked for

---@class rowtide.Index
---@field name string
---@field table string
---@field unique boolean
---@field columns rowtide.IndexedColumn[]
---@field where string? of a partial index
---@field sql string

---@class rowtide.Trigger
---@field name string
---@field table string or view
---@field timing "BEFORE"|"AFTER"|"INSTEAD OF"
---@field event "INSERT"|"UPDATE"|"DELETE"
---@field sql string

---@class rowtide.Table
---@field name string
---@field kind "ordinary"|"virtual"|"shadow"
---@field module string? of a virtual table
---@field without_rowid boolean
---@field strict boolean
---@field columns rowtide.Column[]
---@field keys rowtide.Key[]
---@field checks rowtide.Check[]
---@field foreign_keys rowtide.ForeignKey[]
---@field indexes rowtide.Index[]
---@field triggers rowtide.Trigger[]
---@field sql string

---@class rowtide.View
---@field name string
---@field columns rowtide.Column[] empty if SQLite cannot tell: it is broken
---@field triggers rowtide.Trigger[]
---@field sql string

---@class rowtide.SchemaChange
---@field operation "add"|"remove"|"change"|"rename"
---@field object rowtide.SchemaObject
---@field table string?
---@field name string?
---@field aspect string "whole", or what of it: "type", "not_null", "default", ...
---@field from string? SQL or old name
---@field to string? SQL or new name
---@field effect rowtide.Effect
---@field unknown boolean the texts differ, what they mean may not
---@field note string? one line for people

---@class rowtide.PlanStep
---@field method "create"|"drop"|"rename"|"add_column"|"alter"|"rebuild"
---@field object rowtide.SchemaObject
---@field table string?
---@field name string?
---@field reason string? one line: what it is for
---@field effect rowtide.Effect
---@field refused string? why it will not be run
---@field changes rowtide.SchemaChange[] that it makes
---@field statements string[] what is run
---@field rows integer that have to be read or copied
---@field bytes integer of disk that are needed meanwhile, an estimate

---@class rowtide.Finding
---@field kind "null"|"duplicate"|"check"|"foreign_key"|"lossy"|"type"
---@field table string
---@field columns string[]
---@field count integer rows
---@field samples string[] a few of them, each as a condition for WHERE
---@field fatal boolean applying would fail; false: it would convert values
---@field note string? one line for people

---@class rowtide.SchemaAction
---@field done boolean
---@field object rowtide.SchemaObject
---@field table string?
---@field name string?
---@field sql string? what was run
---@field reason string? why it was refused
---@field rows integer that were copied

---What was done to a schema, in order: a list of both, and each for itself.
---@class rowtide.SchemaReport: { [integer]: rowtide.SchemaAction }
---@field done rowtide.SchemaAction[]
---@field refused rowtide.SchemaAction[]

---A column in a model: `{ "email", "TEXT", not_null = true, unique = true }`.
---@class rowtide.ColumnModel
---@field [1] string its name
---@field [2] string? its type
---@field primary_key boolean?
---@field autoincrement boolean?
---@field not_null boolean?
---@field unique boolean? a unique index
---@field indexed boolean? an index
---@field default_sql string? an SQL expression
---@field check string? an SQL expression
---@field collation string?
---@field generated_as string? an SQL expression
---@field stored boolean?
---@field belongs_to string|rowtide.RelationModel|nil the table whose rows it refers to

---An index in a model: `{ "name", "created_at DESC", unique = true }`. Each column
---is a name, or SQL.
---@class rowtide.IndexModel: { [integer]: string }
---@field name string?
---@field unique boolean?
---@field where string? an SQL expression

---A relation in a model: `{ "users", on_delete = "CASCADE" }`.
---@class rowtide.RelationModel
---@field [1] string the other table
---@field column string? the other table's name in the singular with `_id` if not said
---@field through string? for many to many: the table of pairs, `table_other` if not said
---@field table_column string? that is referred to, its key if not said
---@field on_delete string?
---@field on_update string?
---@field not_null boolean?
---@field foreign_key boolean? a constraint even if not all relations become one

---A table in a model: its columns, and what is said of it. In a list of tables
---its name comes first.
---@class rowtide.TableModel: { [integer]: rowtide.ColumnModel }
---@field strict boolean?
---@field without_rowid boolean?
---@field primary_key string[]? the columns of a key of several
---@field soft_delete string? a column that is NULL while the row is alive
---@field indexes (string|rowtide.IndexModel)[]?
---@field checks table<integer|string, string>? expressions; a key that is text names the constraint
---@field belongs_to string|rowtide.RelationModel|rowtide.RelationModel[]|nil
---@field many_to_many string|rowtide.RelationModel|rowtide.RelationModel[]|nil

---What says how tables are: SQL, a schema, or a table with tables by name, or in a
---list, where SQL and schemas may stand too.
---@alias rowtide.Model string|rowtide.Schema|table<string|integer, rowtide.TableModel|string|rowtide.Schema>

---@class rowtide.SchemaOptions
---@field schema string? "main" if not said
---@field tables string|string[]? only these
---@field internal boolean? also tables that are kept for the library itself

---@class rowtide.SchemaDiffOptions
---@field renames table<string, string>? from old to new: `["users.mail"] = "email"`
---@field undeclared "remove"|"ignore"|nil what about tables, views and triggers that the other does not have
---@field column_order boolean? list columns that stand in another order

---@class rowtide.PlanOptions
---@field allow "lossy"|"destructive"|string[]|nil without it such steps are refused
---@field renames table<string, string>?
---@field undeclared "remove"|"ignore"|nil

---@class rowtide.RebuildOptions: rowtide.PlanOptions
---@field progress (fun(progress: rowtide.Progress): boolean?)? false cancels

---@class rowtide.Counts
---@field inserts integer
---@field updates integer
---@field deletes integer
---@field indirect integer how many of all of them are indirect

---The module, as `require "rowtide"` returns it. Every method is a function of
---the module as well: `db:exec(sql)` is `rowtide.db_exec(db, sql)`.
---@class rowtide
---@field null rowtide.Null
---@field errors table<string, string> what each error name means
---@field stream rowtide.stream
---@field _VERSION string
local rowtide = {}

---Open a database file, ":memory:" or a "file:" URI.
---@param path string
---@param options rowtide.OpenOptions?
---@return rowtide.Db|fail
function rowtide.open(path, options) end

---Use a connection that another module opened, given as a light userdata with
---its `sqlite3 *` (lsqlite3: `db:get_ptr()`). It must be of the same SQLite
---library, and is still closed by that module.
---@param pointer lightuserdata
---@return rowtide.Db|fail
function rowtide.adopt(pointer) end

---Check bytes and make a changeset of them.
---@param bytes string
---@return rowtide.Changeset|fail
function rowtide.changeset(bytes) end

---Read a changeset from a source, or from the file of that path.
---@param source rowtide.Source|string
---@return rowtide.Changeset|fail
function rowtide.read(source) end

---Join changesets that come one after the other, in one pass.
---@param changesets rowtide.Changeset[]
---@return rowtide.Changeset|fail
function rowtide.concat(changesets) end

---Start to put a changeset together by hand.
---@param options { patchset: boolean? }?
---@return rowtide.Builder|fail
function rowtide.builder(options) end

---Make a changeset of the JSON that `to_json` writes.
---@param json string
---@return rowtide.Changeset|fail
function rowtide.from_json(json) end

---Find what would turn one database file into another.
---@param from_path string
---@param to_path string
---@param options rowtide.DiffOptions?
---@return rowtide.Changeset|fail
function rowtide.diff(from_path, to_path, options) end

---A file, as source or sink.
---@param path string
---@return rowtide.File
function rowtide.file(path) end

---Make a schema of a model. What is wrong with the form of a table raises; what is
---wrong with its SQL is a failure.
---@param model rowtide.Model
---@return rowtide.Schema|fail
function rowtide.schema(model) end

---Bring two databases to the same rows in the tables that take part.
---@param a rowtide.Db|rowtide.Crdt
---@param b rowtide.Db|rowtide.Crdt
---@return true|fail
function rowtide.sync(a, b) end

---Bytes to be stored as a BLOB; a plain string is TEXT.
---@param bytes string
---@return rowtide.Blob
function rowtide.blob(bytes) end

---A number to be stored as REAL even if it is whole, for Lua 5.1 and LuaJIT.
---@param number number
---@return rowtide.Real
function rowtide.real(number) end

---An integer in decimal digits, for Lua 5.1 and LuaJIT.
---@param digits string|number
---@return rowtide.Integer
function rowtide.integer(digits) end

---What a value is in SQL; nil if it is none.
---@param value any
---@return "integer"|"real"|"text"|"blob"|"null"|nil
function rowtide.type(value) end

---Work on bytes in bounded memory, from sources to sinks.
---@class rowtide.stream
local stream = {}

---Iterate: `for change in rowtide.stream.iterate(source) do`.
---@param source rowtide.Source
---@param options { invert: boolean? }?
---@return fun(): rowtide.Change?
function stream.iterate(source, options) end

---Write the inverse.
---@param source rowtide.Source
---@param sink rowtide.Sink
---@return true|fail
function stream.invert(source, sink) end

---Write several, which come one after the other, as one.
---@param sources rowtide.Source[]
---@param sink rowtide.Sink
---@return true|fail
function stream.concat(sources, sink) end

---Write only the chosen tables.
---@param source rowtide.Source
---@param tables string|string[]|(fun(table: string): boolean)
---@param sink rowtide.Sink
---@return true|fail
function stream.filter(source, tables, sink) end

---Write local changes, rebased onto remote ones.
---@param source rowtide.Source
---@param onto rowtide.Report|string
---@param sink rowtide.Sink
---@return true|fail
function stream.rebase(source, onto, sink) end

---Write as JSON; without the option `sink`, return it.
---@param source rowtide.Source
---@param options rowtide.RenderOptions?
---@return string|true|fail
function stream.to_json(source, options) end

---Write as SQL; needs the option `names`.
---@param source rowtide.Source
---@param options rowtide.RenderOptions?
---@return string|true|fail
function stream.to_sql(source, options) end

---Write as a listing for people.
---@param source rowtide.Source
---@param options rowtide.RenderOptions?
---@return string|true|fail
function stream.to_text(source, options) end

---Write as a HTML page, old and new values side by side.
---@param source rowtide.Source
---@param options rowtide.RenderOptions?
---@return string|true|fail
function stream.to_html(source, options) end

---A connection. It is closed by `close`, at the end of the block of a `<close>`
---variable, or by the garbage collector.
---@class rowtide.Db
local Db = {}

---Close the connection; again does no harm. An adopted one is only let go.
---@return true|fail
function Db:close() end

---@return boolean
function Db:is_open() end

---The path of the file, "" for a database in memory.
---@return string
function Db:path() end

---The `sqlite3 *` of the connection, for other modules in C.
---@return lightuserdata|fail
function Db:pointer() end

---Make the call that is running stop.
---@return true|fail
function Db:interrupt() end

---Run one or more statements, throwing rows away.
---@param sql string
---@return true|fail
function Db:exec(sql) end

---Run one statement with parameters, by position or by name.
---@param sql string
---@param params table<integer|string, rowtide.Value>?
---@return integer|fail # how many rows it changed
function Db:execute(sql, params) end

---Iterate over rows by column name. What goes wrong is raised. Before Lua 5.4
---a loop that is left early keeps its statement until the garbage collector
---comes. Text and blobs are both strings.
---@param sql string
---@param params table<integer|string, rowtide.Value>?
---@return fun(): table<string, rowtide.Value>?
function Db:rows(sql, params) end

---Iterate over rows by position, with the number of columns as `n`.
---@param sql string
---@param params table<integer|string, rowtide.Value>?
---@return fun(): table<integer, rowtide.Value>?
function Db:tuples(sql, params) end

---The first row by column name.
---@param sql string
---@param params table<integer|string, rowtide.Value>?
---@return table<string, rowtide.Value>|false|fail # false if there is none
function Db:row(sql, params) end

---The first column of the first row.
---@param sql string
---@param params table<integer|string, rowtide.Value>?
---@return rowtide.Value|false|fail # false if there is none
function Db:value(sql, params) end

---Rows that the last INSERT, UPDATE or DELETE changed.
---@return integer
function Db:changes() end

---@return integer
function Db:last_insert_rowid() end

---@return boolean
function Db:in_transaction() end

---Run a function in a transaction, or in a savepoint inside one. An error rolls
---back and goes on.
---@param fn fun(db: rowtide.Db): any
---@param mode "immediate"|"deferred"|"exclusive"? immediate if not said
---@return any # what the function returns, or true
function Db:transaction(fn, mode) end

---Record what a function does. Its error ends the recording and goes on; what
---it wrote stays.
---@param tables string|string[]|nil all that have a primary key if nil
---@param fn fun(capture: rowtide.Capture)
---@param options rowtide.CaptureOptions?
---@return rowtide.Changeset|true|fail # true if the option `sink` took it
---@overload fun(self: rowtide.Db, fn: fun(capture: rowtide.Capture), options: rowtide.CaptureOptions?): rowtide.Changeset|true|fail
function Db:capture(tables, fn, options) end

---Start recording, to be ended by `finish`.
---@param options rowtide.CaptureOptions?
---@return rowtide.Capture|fail
function Db:begin_capture(options) end

---Apply a changeset, or a source in bounded memory: all of it or nothing.
---@param source rowtide.Source
---@param options rowtide.ApplyOptions?
---@return rowtide.Report|fail
function Db:apply(source, options) end

---Find what would turn the tables of one schema of this connection into those of
---another.
---@param from_schema string "main", "temp" or an attached one
---@param to_schema string
---@param options rowtide.DiffOptions?
---@return rowtide.Changeset|true|fail
function Db:diff(from_schema, to_schema, options) end

---Open the audit log of this database.
---@return rowtide.AuditLog|fail
function Db:audit_log() end

---Open the undo log of this database.
---@param options { limit: integer?, byte_limit: integer? }? keep 100 steps if not said
---@return rowtide.UndoLog|fail
function Db:undo_log(options) end

---Open this database as primary of a directory.
---@param directory string
---@return rowtide.Primary|fail
function Db:primary(directory) end

---Open this database as replica of a directory.
---@param directory string
---@return rowtide.Replica|fail
function Db:replica(directory) end

---The tables of this database that take part in merges.
---@return rowtide.Crdt|fail
function Db:crdt() end

---Merge changes: `crdt:merge`, for who needs nothing else of it.
---@param changes rowtide.CrdtChange[]|(fun(): rowtide.CrdtChange?)|string|rowtide.Source
---@return rowtide.MergeReport|fail
function Db:merge(changes) end

---Read the schema of the database, or of some of its tables. A table that does not
---exist is not there.
---@param options rowtide.SchemaOptions?
---@return rowtide.Schema|fail
function Db:schema(options) end

---Add what the database lacks: tables, columns, indexes, views, triggers. Nothing
---is dropped, renamed or retyped. What SQLite cannot add, and what differs without
---being missing, is refused, with the reason.
---@param model rowtide.Model
---@param options { foreign_keys: boolean?, dry_run: boolean? }?
---@return rowtide.SchemaReport|fail
function Db:auto_migrate(model, options) end

---Plan how the database becomes what the model says. Nothing is written.
---@param model rowtide.Model
---@param options rowtide.PlanOptions?
---@return rowtide.Plan|fail
function Db:plan(model, options) end

---Rebuild a table so that a CREATE TABLE statement defines it. Columns keep their
---values by name; triggers, views, rowids and what else refers to it stay.
---@param sql string
---@param options rowtide.RebuildOptions?
---@return rowtide.SchemaReport|fail
function Db:rebuild(sql, options) end

---Recorded changes: an immutable value. `#` counts them, `-` inverts, `..`
---joins, `==` compares the bytes, `tostring` says how much there is.
---@class rowtide.Changeset
---@operator len: integer
---@operator unm: rowtide.Changeset
---@operator concat(rowtide.Changeset): rowtide.Changeset
local Changeset = {}

---Give the memory back now.
---@return true|fail
function Changeset:close() end

---In the format of SQLite's session extension.
---@return string|fail
function Changeset:bytes() end

---@return integer|fail # how many bytes
function Changeset:size() end

---@return integer|fail # how many changes
function Changeset:count() end

---@return boolean|fail
function Changeset:is_empty() end

---@return boolean|fail
function Changeset:is_patchset() end

---@return string[]|fail # in order of first appearance
function Changeset:table_names() end

---@return table<string, rowtide.Counts>|fail # by table
function Changeset:tables() end

---Iterate: `for change in changeset:changes() do`.
---@param options { invert: boolean? }?
---@return fun(): rowtide.Change?
function Changeset:changes(options) end

---The changeset that undoes this one.
---@return rowtide.Changeset|fail
function Changeset:invert() end

---This one and then another.
---@param other rowtide.Changeset
---@return rowtide.Changeset|fail
function Changeset:concat(other) end

---Only the chosen tables.
---@param tables string|string[]|(fun(table: string): boolean)
---@return rowtide.Changeset|fail
function Changeset:filter(tables) end

---Local changes as if they were made after remote ones that were applied here.
---@param onto rowtide.Report|string the report of that apply, or its `rebase`
---@return rowtide.Changeset|fail
function Changeset:rebase(onto) end

---Write the bytes to a sink, or to the file of that path.
---@param sink rowtide.Sink|string
---@return true|fail
function Changeset:write(sink) end

---As JSON, from which `rowtide.from_json` makes the same bytes again.
---@param options rowtide.RenderOptions?
---@return string|true|fail
function Changeset:to_json(options) end

---As SQL that does the same; needs the option `names`.
---@param options rowtide.RenderOptions?
---@return string|true|fail
function Changeset:to_sql(options) end

---As a listing for people.
---@param options rowtide.RenderOptions?
---@return string|true|fail
function Changeset:to_text(options) end

---As a HTML page, old and new values side by side.
---@param options rowtide.RenderOptions?
---@return string|true|fail
function Changeset:to_html(options) end

---A changeset in the making. Rows are lists; with columns that are nil at the
---end they need `n`, the number of columns.
---@class rowtide.Builder
local Builder = {}

---@param table string
---@param primary_key integer[] the columns of the key, in its order
---@param new table<integer, rowtide.Value>
---@return true|fail
function Builder:insert(table, primary_key, new) end

---Columns that do not change are nil in both rows, but for the key, which is in
---the old one.
---@param table string
---@param primary_key integer[]
---@param old table<integer, rowtide.Value>
---@param new table<integer, rowtide.Value>
---@return true|fail
function Builder:update(table, primary_key, old, new) end

---@param table string
---@param primary_key integer[]
---@param old table<integer, rowtide.Value>
---@return true|fail
function Builder:delete(table, primary_key, old) end

---Add a change as an iterator gives it.
---@param change rowtide.Change
---@return true|fail
function Builder:add(change) end

---Make the changeset, and start again from empty.
---@return rowtide.Changeset|fail
function Builder:finish() end

---A recording that goes on.
---@class rowtide.Capture
local Capture = {}

---Stop, and make the changeset or write it to a sink.
---@param sink rowtide.Sink?
---@return rowtide.Changeset|true|fail
function Capture:finish(sink) end

---Make a changeset of what was recorded so far.
---@return rowtide.Changeset|fail
function Capture:peek() end

---Stop without a result; what was written stays written.
---@return true|fail
function Capture:cancel() end

---Stop without a result, and release.
---@return true|fail
function Capture:close() end

---@return boolean
function Capture:is_open() end

---@return boolean
function Capture:is_empty() end

---Mark the changes that follow as indirect, or with false as direct.
---@param indirect boolean?
---@return true|fail
function Capture:indirect(indirect) end

---@return true|fail
function Capture:pause() end

---@return true|fail
function Capture:resume() end

---@return integer|fail # bytes
function Capture:memory_used() end

---An upper bound for the bytes of the changeset, with the option `measure`.
---@return integer|fail
function Capture:size() end

---Tables that cannot be recorded, and why.
---@return { table: string, reason: string }[]|fail
function Capture:skipped() end

---Who changed what and when, in the tables `rowtide_audit` and
---`rowtide_audit_change` of the same database.
---@class rowtide.AuditLog
local AuditLog = {}

---Do and log. An error in the function undoes what it did and goes on. The
---options are those of a capture, and `author`, `label` and `time`.
---@param options { author: string?, label: string?, time: string? }?
---@param fn fun()
---@return integer|fail # the id of the entry, 0 if nothing changed
function AuditLog:entry(options, fn) end

---Log a changeset that was captured elsewhere.
---@param changeset rowtide.Changeset
---@param entry { author: string?, label: string?, time: string? }?
---@return integer|fail
function AuditLog:append(changeset, entry) end

---Iterate over the entries, the oldest first: id, time, author, label, bytes.
---@return fun(): table<string, rowtide.Value>?
function AuditLog:entries() end

---Iterate over single changes, values as JSON.
---@param options { entry: integer?, table: string? }?
---@return fun(): table<string, rowtide.Value>?
function AuditLog:changes(options) end

---@param id integer
---@return rowtide.Changeset|fail
function AuditLog:changeset(id) end

---Delete entries older than a time, or all but the newest.
---@param options { before: string?, keep: integer? } one of the two
---@return integer|fail # how many
function AuditLog:prune(options) end

---@return true|fail
function AuditLog:close() end

---@class rowtide.UndoStep
---@field id integer
---@field label string
---@field time string
---@field bytes integer
---@field undone boolean

---Steps that can be taken back, in the table `rowtide_undo` of the same
---database.
---@class rowtide.UndoLog
local UndoLog = {}

---Do something that can be undone. An error in the function undoes what it did
---and goes on.
---@param label string?
---@param fn fun()
---@param options rowtide.CaptureOptions?
---@return integer|fail # the id of the step, 0 if nothing changed
function UndoLog:step(label, fn, options) end

---Take back the newest step.
---@param options rowtide.ApplyOptions?
---@return string|false|fail # its label, false if there is no step
function UndoLog:undo(options) end

---Do the step again that was undone last.
---@param options rowtide.ApplyOptions?
---@return string|false|fail
function UndoLog:redo(options) end

---How many steps can be undone, and how many redone.
---@return integer|fail undoable
---@return integer redoable
function UndoLog:counts() end

---@return rowtide.UndoStep[]|fail # the oldest first
function UndoLog:steps() end

---Forget all steps.
---@return true|fail
function UndoLog:clear() end

---@return true|fail
function UndoLog:close() end

---The database that replicas follow.
---@class rowtide.Primary
local Primary = {}

---Do, commit and publish.
---@param tables string|string[]|nil
---@param fn fun()
---@param options rowtide.CaptureOptions?
---@return integer|fail # the number of the changeset, 0 if nothing changed
function Primary:record(tables, fn, options) end

---Publish a changeset that was captured elsewhere.
---@param changeset rowtide.Changeset
---@return integer|fail
function Primary:append(changeset) end

---Write files that are still missing.
---@return integer|fail # how many
function Primary:publish() end

---@return integer|fail # the number of the last changeset
function Primary:position() end

---@return true|fail
function Primary:close() end

---A database that follows.
---@class rowtide.Replica
local Replica = {}

---Apply what is new. The options are those of an apply, and `limit`.
---@param options rowtide.ApplyOptions?
---@return integer|fail # how many changesets
function Replica:pull(options) end

---@return integer|fail # the number of the last changeset applied
function Replica:position() end

---Say that this database already holds everything up to a number.
---@param number integer
---@return true|fail
function Replica:set_position(number) end

---@return true|fail
function Replica:close() end

---Databases that change apart and merge later, whoever was offline. For each
---row the side wins that deleted or brought it back last; for each cell the side
---that changed it more often, and of two that changed it equally often the
---greater value.
---@class rowtide.Crdt
---@field db rowtide.Db
local Crdt = {}

---Let a table take part. It needs a primary key that is NOT NULL, and no other
---UNIQUE indexes, AUTOINCREMENT or foreign keys.
---@param table string
---@return true|fail
function Crdt:enable(table) end

---Take a table out, forgetting its versions and deletions.
---@param table string
---@return true|fail
function Crdt:disable(table) end

---@param table string
---@return boolean|fail
function Crdt:is_enabled(table) end

---@return string[]|fail # the tables that take part
function Crdt:tables() end

---Alter the columns of a table in a function. An error undoes what it did and
---goes on. Returns what the function returns, or true.
---@param table string
---@param fn fun(db: rowtide.Db): any
---@return any
function Crdt:alter(table, fn) end

---@return string|fail # 16 bytes that name this database among its peers
function Crdt:site_id() end

---@return integer|fail # the version of the last committed change, 0 if there is none
function Crdt:version() end

---Iterate over changes in the order of version and sequence.
---@param options rowtide.PullOptions?
---@return fun(): rowtide.CrdtChange?
function Crdt:pull(options) end

---The values of the primary key in a change, with their number as `n`.
---@param pk string
---@return table<integer, rowtide.Value>|fail
function Crdt:key(pk) end

---Changes as compact bytes, with checksums.
---@param options rowtide.PayloadOptions?
---@return string|true|fail
function Crdt:payload(options) end

---Merge changes, all or nothing: a list of them, what `pull` returns, a payload
---as a string, or a source of one.
---@param changes rowtide.CrdtChange[]|(fun(): rowtide.CrdtChange?)|string|rowtide.Source
---@return rowtide.MergeReport|fail
function Crdt:merge(changes) end

---Bring what is new in another database into this one, remembering how far it
---got.
---@param from rowtide.Db|rowtide.Crdt
---@return rowtide.MergeReport|fail
function Crdt:fetch(from) end

---Bring this database and another to the same rows, as `rowtide.sync` does.
---@param other rowtide.Db|rowtide.Crdt
---@return true|fail
function Crdt:sync(other) end

---@return rowtide.Peer[]|fail
function Crdt:peers() end

---How far this database has come in pulling from a peer.
---@param site_id string
---@return integer|fail # 0 if never
function Crdt:peer_version(site_id) end

---Remember how far it has come. Never goes back.
---@param site_id string
---@param version integer
---@return true|fail
function Crdt:set_peer_version(site_id, version) end

---Forget deletions up to a version, or without one those that all peers are
---known to have. A peer that has not seen them by then brings the rows back.
---@param version integer?
---@return integer|fail # how many
function Crdt:collect(version) end

---Take over a database of cr-sqlite 0.16, all of its tables or none.
---@return integer|fail # how many
function Crdt:convert() end

---Tables, views, indexes and triggers, as a value. `==` is true if nothing would
---have to change for one to become the other; the order of columns does not count.
---@class rowtide.Schema
local Schema = {}

---@return rowtide.Table[] # also by name: `schema:tables().users.columns.email`
function Schema:tables() end

---@return rowtide.View[]
function Schema:views() end

---SQL that makes the same schema in an empty database.
---@return string|fail
function Schema:to_sql() end

---Everything that is in it, as JSON.
---@return string|fail
function Schema:to_json() end

---A picture of tables and the references between them, as an SVG document.
---@return string|fail
function Schema:to_svg() end

---What has to change for this schema to become another one.
---@param to rowtide.Model
---@param options rowtide.SchemaDiffOptions?
---@return rowtide.Difference|fail
function Schema:diff(to, options) end

---@return true|fail
function Schema:close() end

---What differs between two schemas; `#difference` is how many changes there are.
---@class rowtide.Difference
local Difference = {}

---@return rowtide.SchemaChange[]|fail # table by table
function Difference:changes() end

---@return boolean
function Difference:is_empty() end

---The SQL of a migration, to be reviewed: what adds is active, what removes or
---converts is commented out, complete and with its reason. Nothing is run.
---@return string|fail
function Difference:up() end

---The SQL that undoes the active part of `up`.
---@return string|fail
function Difference:down() end

---@return true|fail
function Difference:close() end

---How a database becomes a schema; `#plan` is how many steps there are.
---@class rowtide.Plan
local Plan = {}

---@return rowtide.PlanStep[]|fail # in order
function Plan:steps() end

---Look for rows that are in the way. Nothing is written.
---@param options { progress: (fun(progress: rowtide.Progress): boolean?)? }?
---@return rowtide.Finding[]|fail
function Plan:preflight(options) end

---Do it, in one transaction: all of it or nothing.
---@param options { progress: (fun(progress: rowtide.Progress): boolean?)? }?
---@return rowtide.SchemaReport|fail
function Plan:apply(options) end

---Each step, and what it runs, for people.
---@return string|fail
function Plan:to_text() end

---@return true|fail
function Plan:close() end

return rowtide
