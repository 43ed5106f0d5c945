// Serves databases of cr-sqlite's WebAssembly build to one client: a JSON
// request a line on stdin, a JSON answer a line on stdout.
//
//   {"do": "open", "db": 7, "path": ":memory:"}
//   {"do": "run", "db": 7, "statements": [["SELECT ?1", ["i1"]], ...]}
//   {"do": "close", "db": 7}
//
// answers {"rows": [[[value, ...], ...], ...]}, the rows of each statement, or
// {"error": text, "code": extended code, "done": statements done before}.
// Values are strings so that nothing is lost: "i" decimal, "f" the eight bytes
// of a float, "t" and "b" the bytes of a text or a blob, all three in
// hexadecimal, and "n" for NULL.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const ROW = 100, DONE = 101;
const OPEN_READWRITE = 2, OPEN_CREATE = 4, OPEN_URI = 64;
const TRANSIENT = -1;

const require = createRequire(join(resolve(process.argv[2]), "/"));
const wasm = require.resolve("@vlcn.io/crsqlite-wasm/crsqlite.wasm");
const mjs = pathToFileURL(join(dirname(wasm), "crsqlite.mjs"));

const { default: make } = await import(mjs);
const sqlite = await make({ wasmBinary: readFileSync(wasm) });

const handles = new Map();
const scratch = sqlite._malloc(8);
const word = (address) => sqlite.HEAP32[address >> 2];

function toMemory(bytes) {
  const address = sqlite._malloc(bytes.length + 1);
  sqlite.HEAPU8.set(bytes, address);
  sqlite.HEAPU8[address + bytes.length] = 0;
  return address;
}

function fromMemory(address, size) {
  return Buffer.from(sqlite.HEAPU8.subarray(address, address + size));
}

function textAt(address) {
  return fromMemory(address, sqlite.HEAPU8.indexOf(0, address) - address).toString();
}

function check(handle, status) {
  if (status !== 0 && status !== ROW && status !== DONE) {
    throw Object.assign(new Error(textAt(sqlite._sqlite3_errmsg(handle))), { code: status });
  }
}

function bindBytes(bind, statement, index, bytes) {
  const address = toMemory(bytes);
  const status = bind(statement, index, address, bytes.length, TRANSIENT);
  sqlite._free(address);
  return status;
}

function bind(handle, statement, index, value) {
  const body = value.slice(1);
  const bytes = Buffer.from(body, "hex");
  let status;
  switch (value[0]) {
    case "i": {
      const bits = BigInt(body);
      const low = Number(BigInt.asIntN(32, bits));
      const high = Number(BigInt.asIntN(32, bits >> 32n));
      status = sqlite._sqlite3_bind_int64(statement, index, low, high);
      break;
    }
    case "f":
      status = sqlite._sqlite3_bind_double(statement, index, bytes.readDoubleBE());
      break;
    case "t":
      status = bindBytes(sqlite._sqlite3_bind_text, statement, index, bytes);
      break;
    case "b":
      status = bindBytes(sqlite._sqlite3_bind_blob, statement, index, bytes);
      break;
    default:
      status = sqlite._sqlite3_bind_null(statement, index);
  }
  check(handle, status);
}

function column(statement, index) {
  switch (sqlite._sqlite3_column_type(statement, index)) {
    case 1: {
      const low = sqlite._sqlite3_column_int64(statement, index);
      const high = sqlite.getTempRet0();
      return "i" + ((BigInt(high) << 32n) | (BigInt(low) & 0xffffffffn));
    }
    case 2: {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(sqlite._sqlite3_column_double(statement, index));
      return "f" + bytes.toString("hex");
    }
    case 3: {
      const address = sqlite._sqlite3_column_text(statement, index);
      const size = sqlite._sqlite3_column_bytes(statement, index);
      return "t" + fromMemory(address, size).toString("hex");
    }
    case 4: {
      const address = sqlite._sqlite3_column_blob(statement, index);
      const size = sqlite._sqlite3_column_bytes(statement, index);
      return "b" + fromMemory(address, size).toString("hex");
    }
    default:
      return "n";
  }
}

function step(handle, statement) {
  const rows = [];
  for (;;) {
    const status = sqlite._sqlite3_step(statement);
    check(handle, status);
    if (status === DONE) {
      return rows;
    }
    const count = sqlite._sqlite3_column_count(statement);
    rows.push(Array.from({ length: count }, (_, index) => column(statement, index)));
  }
}

function runOne(handle, text, values) {
  let rows = [];
  const sql = toMemory(Buffer.from(text));
  try {
    for (let next = sql; sqlite.HEAPU8[next] !== 0; next = word(scratch + 4)) {
      check(handle, sqlite._sqlite3_prepare_v2(handle, next, -1, scratch, scratch + 4));
      const statement = word(scratch);
      if (statement === 0) {
        break;
      }
      const tail = word(scratch + 4);
      try {
        values.forEach((value, index) => bind(handle, statement, index + 1, value));
        rows = step(handle, statement);
      } finally {
        sqlite._sqlite3_finalize(statement);
      }
      sqlite.HEAP32[(scratch + 4) >> 2] = tail;
    }
  } finally {
    sqlite._free(sql);
  }
  return rows;
}

function open({ db, path }) {
  const name = toMemory(Buffer.from(path));
  const status = sqlite._sqlite3_open_v2(
    name, scratch, OPEN_READWRITE | OPEN_CREATE | OPEN_URI, 0);
  sqlite._free(name);
  handles.set(db, word(scratch));
  check(word(scratch), status);
  return { rows: [] };
}

function run({ db, statements }) {
  const handle = handles.get(db);
  const rows = [];
  try {
    for (const [sql, values] of statements) {
      rows.push(runOne(handle, sql, values ?? []));
    }
  } catch (error) {
    error.done = rows.length;
    throw error;
  }
  return { rows };
}

function close({ db }) {
  const handle = handles.get(db);
  runOne(handle, "SELECT crsql_finalize()", []);
  check(handle, sqlite._sqlite3_close(handle));
  handles.delete(db);
  return { rows: [] };
}

const actions = { open, run, close };

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  let ended = false;
  try {
    const request = JSON.parse(line);
    answer = actions[request.do](request);
  } catch (error) {
    // A panic inside the library leaves its whole memory in doubt.
    ended = error instanceof WebAssembly.RuntimeError;
    answer = { error: error.message, code: error.code ?? -1, done: error.done ?? 0, ended };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
  if (ended) {
    process.exit(1);
  }
}
