// Lets kysely speak to PostgreSQL with the same promises that the embedded database gives.
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type Kysely,
  PostgresDialect,
  PostgresDriver,
  type PostgresPool,
  type PostgresPoolClient,
  sql,
} from "kysely";
import pg from "pg";
import { StateError } from "./errors.ts";
import type { Tables } from "./schema.ts";

/** The shared database of several installations or machines. */
export interface PostgresOptions {
  /** `postgres://user@host:5432/database`, without the password. */
  readonly url: string;
  readonly password: string | null;
  /** `verify`: TLS with a certificate that is checked; `off`: in clear, for the same machine or a private link. */
  readonly tls: "verify" | "off";
  /** Certificate authority in PEM; null: those that the system trusts. */
  readonly certificateAuthority: string | null;
  /** Connections that one process holds at most. */
  readonly connections: number;
  readonly busyTimeoutMs: number;
}

/** Writers take this advisory lock, so that they go one after the other as they do on SQLite. Any fixed number would do. */
const WRITER_LOCK = 0x61_64_79_74;
const STANDARD_PORT = 5432;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 60_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const BIGINT_OID = 20;

/** SQLSTATE codes that people can do something about (PostgreSQL's manual, appendix A). */
const BUSY: ReadonlySet<string> = new Set(["55P03", "57014", "40P01", "40001", "53300"]);
const FULL: ReadonlySet<string> = new Set(["53100", "53200"]);
const DAMAGED: ReadonlySet<string> = new Set(["XX001", "XX002", "58030"]);
const WRONG_VALUE: ReadonlySet<string> = new Set(["22021", "22P05"]);
const GONE: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "08000", "08003", "08006"]);
const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
]);

/** Every transaction of the state writes: it takes the one writer's lock at its beginning, and waits no longer than it may. */
class OneWriterDriver extends PostgresDriver {
  readonly #busyTimeoutMs: number;

  constructor(pool: PostgresPool, busyTimeoutMs: number) {
    super({ pool });
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin"));
    try {
      await connection.executeQuery(CompiledQuery.raw(`set local lock_timeout = ${this.#busyTimeoutMs}`));
      await connection.executeQuery(CompiledQuery.raw(`select pg_advisory_xact_lock(${WRITER_LOCK})`));
    } catch (error) {
      // kysely takes a transaction that did not begin for none, and would hand the connection on within it.
      await connection.executeQuery(CompiledQuery.raw("rollback")).catch(() => {});
      throw error;
    }
  }
}

class OneWriterDialect extends PostgresDialect {
  readonly #pool: PostgresPool;
  readonly #busyTimeoutMs: number;

  constructor(pool: PostgresPool, busyTimeoutMs: number) {
    super({ pool });
    this.#pool = pool;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  override createDriver(): Driver {
    return new OneWriterDriver(this.#pool, this.#busyTimeoutMs);
  }
}

/** Connects at the first query. Connections that break are made again at the next. */
export function postgresDialect(options: PostgresOptions): PostgresDialect {
  const { certificateAuthority } = options;
  const pool = new pg.Pool({
    ...placeOf(options.url),
    ...(options.password === null ? {} : { password: options.password }),
    ssl: options.tls === "off" ? false : certificateAuthority === null ? true : { ca: certificateAuthority },
    max: options.connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "adyton",
    keepAlive: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + CONNECT_TIMEOUT_MS,
    // A writer that vanished within a transaction must not keep the lock.
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    types: {
      // Times and counters are below 2^53; as text they would compare wrongly.
      getTypeParser: (oid, format) =>
        Number(oid) === BIGINT_OID ? Number : pg.types.getTypeParser(Number(oid), format ?? "text"),
    },
  });
  // A connection that breaks is no accident: its query fails with a code, and the next one opens another.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return new OneWriterDialect(explaining(pool), options.busyTimeoutMs);
}

/** Taken apart here: given the whole URL, the client would let it override password and TLS. */
function placeOf(text: string): { host: string; port: number; database: string; user?: string } {
  const url = new URL(text);
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? STANDARD_PORT : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(user === "" ? {} : { user }),
  };
}

/**
 * SQLite compares text byte by byte; PostgreSQL by the database's language, in which cursors and orders would differ.
 * Gives every text column the order of bytes. Costs one look at the catalogue where nothing is left to do.
 */
export async function orderTextByBytes(db: Kysely<Tables>): Promise<void> {
  const columns = sql<{ table_name: string; column_name: string }>`
    select table_name, column_name from information_schema.columns
    where table_schema = current_schema() and data_type = 'text' and collation_name is distinct from 'C'
      and table_name not like 'kysely%'`;
  if ((await columns.execute(db)).rows.length === 0) return;
  await db.transaction().execute(async (transaction) => {
    for (const { table_name, column_name } of (await columns.execute(transaction)).rows) {
      await sql`alter table ${sql.ref(table_name)} alter column ${sql.ref(column_name)} type text collate "C"`.execute(
        transaction,
      );
    }
  });
}

/** The pool with PostgreSQL's failures under the codes of this folder. */
function explaining(pool: pg.Pool): PostgresPool {
  return {
    connect: async () => {
      const client = await explained(() => pool.connect());
      return {
        // kysely's two ways to call it: with a text, and with a cursor, which only streams use and we never do.
        query: ((text: string, parameters: unknown[]) =>
          explained(() => client.query(text, parameters))) as unknown as PostgresPoolClient["query"],
        release: () => client.release(),
      };
    },
    end: () => pool.end(),
  };
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (BUSY.has(code))
      throw new StateError("state-busy", `expected the state database to be free, got: ${reason}`, { cause });
    if (FULL.has(code))
      throw new StateError("state-full", `expected room in the state database, got: ${reason}`, { cause });
    if (DAMAGED.has(code))
      throw new StateError("state-damaged", `expected a sound state database, got: ${reason}`, { cause });
    if (WRONG_VALUE.has(code))
      throw new StateError("invalid-fact", "expected text that the database can hold, got other characters", {
        cause,
      });
    if (
      GONE.has(code) ||
      NETWORK.has(code) ||
      /connection (terminated|timeout)|timeout exceeded|query read timeout/i.test(reason)
    )
      throw new StateError(
        "state-unavailable",
        `expected the state database to answer, got: ${reason || code}`,
        {
          cause,
        },
      );
    throw cause;
  }
}
