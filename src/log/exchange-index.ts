// Which leaves belong to an exchange: a derived table, deleted and rebuilt from the leaves whenever it is in doubt.
import { closeSync, openSync, rmSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS leaves (
    exchange TEXT NOT NULL, leaf INTEGER NOT NULL, closes INTEGER NOT NULL, PRIMARY KEY (exchange, leaf)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS progress (only INTEGER PRIMARY KEY CHECK (only = 1), size INTEGER NOT NULL);
  INSERT OR IGNORE INTO progress VALUES (1, 0);`;

/** One leaf of an exchange. `closes`: a close or an interruption. */
export interface IndexRow {
  readonly exchange: string;
  readonly leaf: number;
  readonly closes: boolean;
}

function openDatabase(path: string): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 10_000 });
  try {
    // Nothing here needs to survive a power cut: what is lost is derived again.
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000; ${SCHEMA}`,
    );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export class ExchangeIndex {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #progress: StatementSync;
  readonly #find: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare(
      "INSERT OR REPLACE INTO leaves (exchange, leaf, closes) VALUES (?, ?, ?)",
    );
    this.#progress = database.prepare("UPDATE progress SET size = ?");
    this.#find = database.prepare(
      "SELECT leaf FROM leaves WHERE exchange = ? AND closes = ? AND leaf < ? ORDER BY leaf DESC LIMIT 1",
    );
  }

  /** Opens the index, or makes an empty one where it is missing or damaged. */
  static open(path: string): ExchangeIndex {
    try {
      return new ExchangeIndex(openDatabase(path));
    } catch {
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
      return new ExchangeIndex(openDatabase(path));
    }
  }

  /** Leaves up to here are in the index. */
  get size(): number {
    return Number(this.#database.prepare("SELECT size FROM progress").get()?.["size"] ?? 0);
  }

  /** Adds leaves and moves on to `size`, in one transaction. */
  add(rows: readonly IndexRow[], size: number): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const row of rows) this.#insert.run(row.exchange, row.leaf, row.closes ? 1 : 0);
      this.#progress.run(size);
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Forgets leaves from `size` on: they were never committed. */
  truncate(size: number): void {
    if (this.size <= size) return;
    this.#database.prepare("DELETE FROM leaves WHERE leaf >= ?").run(size);
    this.#progress.run(size);
  }

  /** Newest open and newest close of an exchange below `size`. */
  find(exchange: string, size: number): { open?: number; close?: number } {
    const open = this.#find.get(exchange, 0, size)?.["leaf"];
    const close = this.#find.get(exchange, 1, size)?.["leaf"];
    return {
      ...(open === undefined ? {} : { open: Number(open) }),
      ...(close === undefined ? {} : { close: Number(close) }),
    };
  }

  /** All leaves of an exchange below `size`. */
  all(exchange: string, size: number): number[] {
    const rows = this.#database
      .prepare("SELECT leaf FROM leaves WHERE exchange = ? AND leaf < ? ORDER BY leaf")
      .all(exchange, size);
    return rows.map((row) => Number(row["leaf"]));
  }

  close(): void {
    this.#database.close();
  }
}
