// The analytical database as the rest of Adyton sees it: questions, batches taken in exactly once, and starting over.
import { fileURLToPath } from "node:url";
import { DEFAULT_STATEMENT_TIMEOUT_MS, Engine, type EngineOptions, type Parameters } from "./engine.ts";
import { type ErasedRows, eraseRows } from "./erasure.ts";
import { type Batch, Ingest } from "./ingest.ts";
import { linesOf } from "./json-lines.ts";
import { type Migration, migrate, readMigrations } from "./migrate.ts";

export interface StoreOptions extends EngineOptions {
  /** Folder of migrations (default: Adyton's own). */
  readonly migrations?: string | undefined;
  /** Longest a query may take when its caller does not say, ms (default 60 s). */
  readonly queryTimeoutMs?: number | undefined;
}

export interface TableFacts {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

const MIGRATIONS_FOLDER: string = fileURLToPath(new URL("./migrations/", import.meta.url));

const SELECT_TABLES =
  "SELECT name FROM system.tables WHERE database = currentDatabase() AND NOT is_temporary ORDER BY name";
const SELECT_TABLE_FACTS = `
SELECT name AS table, ifNull(total_rows, 0) AS rows, ifNull(total_bytes, 0) AS bytes
FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`;

/**
 * Owner of the database. One process at a time for the embedded engine.
 * 64-bit integers in answers are strings (hashes must not lose bits): cast counts with `toUInt32` or `toFloat64` in
 * the statement, or convert them.
 */
export class Store {
  readonly #engine: Engine;
  readonly #migrations: readonly Migration[];
  readonly #ingest: Ingest;
  readonly #queryTimeoutMs: number;
  #erasures = 0;

  private constructor(
    engine: Engine,
    migrations: readonly Migration[],
    ingest: Ingest,
    queryTimeoutMs: number | undefined,
  ) {
    this.#engine = engine;
    this.#queryTimeoutMs = queryTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS;
    this.#migrations = migrations;
    this.#ingest = ingest;
  }

  /**
   * Opens, migrates, and removes what a crash left of an unfinished batch: the normal way in.
   * @throws StoreError store.locked, store.unavailable, store.migration-changed, store.migration-failed
   */
  static async open(options: StoreOptions): Promise<Store> {
    return Store.#open(options, false);
  }

  /** Opens an empty store: drops everything there was, whatever its migrations. For `adyton store rebuild`. */
  static async openEmpty(options: StoreOptions): Promise<Store> {
    return Store.#open(options, true);
  }

  static async #open(options: StoreOptions, empty: boolean): Promise<Store> {
    const migrations = await readMigrations(options.migrations ?? MIGRATIONS_FOLDER);
    const engine = await Engine.open(options);
    try {
      if (empty) await dropAll(engine);
      await migrate(engine, migrations);
      return new Store(engine, migrations, await Ingest.open(engine), options.queryTimeoutMs);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  /**
   * Rows of a reading statement, with parameters as `{name:Type}`; never longer than `timeoutMs` (default: the store's),
   * and not beyond the signal. It sees each table as it was when it began: whole inserts, or nothing of them.
   * @throws StoreError store.query-failed, store.query-timeout, store.query-ended
   */
  async query<T>(
    sql: string,
    parameters: Parameters = {},
    { timeoutMs, signal }: { readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T[]> {
    return this.#engine.query<T>(sql, parameters, timeoutMs ?? this.#queryTimeoutMs, signal);
  }

  /** A statement that writes to tables which are not fed from the log (scratch, detectors' own states). */
  async execute(
    sql: string,
    parameters: Parameters = {},
    options: { readonly timeoutMs?: number } = {},
  ): Promise<void> {
    return this.#engine.execute(sql, parameters, options.timeoutMs);
  }

  /** Inserts rows outside the log's order: cases of detectors in tests, detectors' own states. */
  async insert(table: string, rows: readonly object[]): Promise<void> {
    for (const lines of linesOf(rows)) await this.#engine.insert(table, [lines]);
  }

  /**
   * Takes a stretch of the log in: all of its rows, then the new position. After a crash at any point the next
   * `open` removes what is beyond the position, so that every row is there exactly once.
   * @throws StoreError store.batch-out-of-order, store.query-failed
   */
  async insertBatch(batch: Batch): Promise<void> {
    return this.#ingest.take(batch);
  }

  /** Drops the rows of erased records and accounts, for good. */
  async erase(rows: ErasedRows): Promise<void> {
    await eraseRows(this.#engine, rows);
    if (rows.account !== null) this.#erasures += 1;
  }

  /**
   * Accounts erased so far. What was read before this number changed may name one of them. Records that are erased
   * without their account, as by age every day, don't count: a finding may stand on what was there when it was made.
   */
  get erasures(): number {
    return this.#erasures;
  }

  /** The leaf index at which the next batch begins. */
  async position(): Promise<number> {
    return this.#ingest.position;
  }

  /** Drops every table and makes them anew, empty, at position 0. */
  async clear(): Promise<void> {
    await dropAll(this.#engine);
    await migrate(this.#engine, this.#migrations);
    await this.#ingest.reload();
  }

  /** Size of every table. */
  async tables(): Promise<readonly TableFacts[]> {
    const rows = await this.query<{ table: string; rows: string; bytes: string }>(SELECT_TABLE_FACTS);
    return rows.map((row) => ({ table: row.table, rows: Number(row.rows), bytes: Number(row.bytes) }));
  }

  async close(): Promise<void> {
    await this.#engine.close();
  }
}

/** The position goes first: a crash in between then leaves rows beyond the position, which the next open removes. */
async function dropAll(engine: Engine): Promise<void> {
  const names = (await engine.query<{ name: string }>(SELECT_TABLES, {}, DEFAULT_STATEMENT_TIMEOUT_MS)).map(
    (row) => row.name,
  );
  const order = (name: string): number => ["ingest_positions", "schema_migrations"].indexOf(name);
  names.sort((a, b) => order(b) - order(a));
  for (const name of names) await engine.execute("DROP TABLE IF EXISTS {name:Identifier} SYNC", { name });
}
