// Exactly once: rows first, the position after them, and on the next start nothing beyond the position is left.

import { type Columns, type EncodedRows, MAX_ROWS_AN_INSERT } from "./encoded-rows.ts";
import { DEFAULT_STATEMENT_TIMEOUT_MS, type Engine } from "./engine.ts";
import { StoreError } from "./errors.ts";
import { linesOf } from "./json-lines.ts";

/** Rows of one stretch of the log by table. Each row of a table with a `leaf` column carries the leaf index it comes from. */
export interface Batch {
  /** Rows as objects, with a member `leaf`. */
  readonly rows?: Readonly<Record<string, readonly object[]>>;
  /** Rows that were written out where they were made. */
  readonly lines?: Readonly<Record<string, readonly EncodedRows[]>>;
  /** The first leaf index that is not covered: where the next batch begins. */
  readonly position: number;
}

/** Name of the only log that this store follows. */
const LOG = "log";
const SELECT_POSITION = "SELECT max(position) AS position FROM ingest_positions WHERE name = {name:String}";
/** Tables fed from the log are those that carry a leaf index. */
const SELECT_LEAF_TABLES = `
SELECT DISTINCT table FROM system.columns
WHERE database = currentDatabase() AND name = 'leaf'
  AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
ORDER BY table`;
const COUNT_BEYOND = "SELECT count() AS count FROM {table:Identifier} WHERE leaf >= {position:UInt64}";
const DELETE_BEYOND =
  "ALTER TABLE {table:Identifier} DELETE WHERE leaf >= {position:UInt64} SETTINGS mutations_sync = 2";

/** The writing side: holds the position and the order of writes. */
export class Ingest {
  readonly #engine: Engine;
  #position = 0;
  /** True from the first insert of a batch until its position is written: then rows beyond the position may exist. */
  #unfinished = false;

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async open(engine: Engine): Promise<Ingest> {
    const ingest = new Ingest(engine);
    await ingest.reload();
    return ingest;
  }

  get position(): number {
    return this.#position;
  }

  /** Reads the position and removes what is beyond it. */
  async reload(): Promise<void> {
    const rows = await this.#engine.query<{ position: string }>(
      SELECT_POSITION,
      { name: LOG },
      DEFAULT_STATEMENT_TIMEOUT_MS,
    );
    this.#position = Number(rows[0]?.position ?? 0);
    await this.#removeBeyond();
  }

  async take(batch: Batch): Promise<void> {
    const inserts = insertsOf(batch);
    this.#check(batch.position, inserts);
    // An insert of an earlier batch failed while this process lived on: same remedy as after a crash.
    if (this.#unfinished) await this.#removeBeyond();
    if (batch.position === this.#position) return;
    this.#unfinished = true;
    for (const { table, rows } of inserts) await this.#engine.insert(table, rows);
    await this.#engine.insert("ingest_positions", linesOf([{ name: LOG, position: batch.position }]));
    this.#position = batch.position;
    this.#unfinished = false;
  }

  async #removeBeyond(): Promise<void> {
    const tables = await this.#engine.query<{ table: string }>(
      SELECT_LEAF_TABLES,
      {},
      DEFAULT_STATEMENT_TIMEOUT_MS,
    );
    for (const { table } of tables) {
      const parameters = { table, position: this.#position };
      const [found] = await this.#engine.query<{ count: string }>(
        COUNT_BEYOND,
        parameters,
        DEFAULT_STATEMENT_TIMEOUT_MS,
      );
      if (Number(found?.count ?? 0) > 0) await this.#engine.execute(DELETE_BEYOND, parameters);
    }
    this.#unfinished = false;
  }

  #check(position: number, inserts: readonly Insert[]): void {
    if (position < this.#position) {
      throw new StoreError(
        "store.batch-out-of-order",
        `expected a batch that ends at ${this.#position} or later, got ${position}`,
      );
    }
    for (const { table, rows } of inserts) {
      for (const { leaves } of rows) {
        const { first, last } = leaves ?? { first: this.#position, last: this.#position };
        if (first >= this.#position && last < position) continue;
        throw new StoreError(
          "store.batch-out-of-order",
          `expected leaves from ${this.#position} to ${position} in ${table}, got ${first} to ${last}`,
        );
      }
    }
  }
}

/** One INSERT: rows of the same columns, in order. */
interface Insert {
  readonly table: string;
  readonly rows: readonly EncodedRows[];
}

function insertsOf({ rows = {}, lines = {} }: Batch): Insert[] {
  const made = Object.entries(rows).map(([table, objects]) => [table, linesOf(objects)] as const);
  return [...made, ...Object.entries(lines)].flatMap(([table, list]) =>
    together(list).map((rows) => ({ table, rows })),
  );
}

/** Few large inserts instead of many small ones: neighbours that can go together do. */
function together(list: readonly EncodedRows[]): EncodedRows[][] {
  const groups: EncodedRows[][] = [];
  let count = 0;
  for (const each of list) {
    const last = groups.at(-1);
    const fits = each.columns !== null && isSame(last?.[0]?.columns, each.columns);
    if (last !== undefined && fits && count + each.rows <= MAX_ROWS_AN_INSERT) {
      last.push(each);
      count += each.rows;
    } else {
      groups.push([each]);
      count = each.rows;
    }
  }
  return groups;
}

function isSame(a: Columns | null | undefined, b: Columns): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
