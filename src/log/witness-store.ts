// What a witness must never forget: the newest tree head of each log that it cosigned, and every contradiction it saw.
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { TreeHead } from "../core/tree-head.ts";

const BUSY_TIMEOUT_MS = 10_000;
/** Contradictions kept of one log: the first is proof enough, and a forger must not fill the disk. */
const MAX_CONTRADICTIONS = 1000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS heads (
    origin TEXT PRIMARY KEY, origin_hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL,
    checkpoint TEXT NOT NULL, cosigned_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS contradictions (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, reason TEXT NOT NULL, noticed_ms INTEGER NOT NULL,
    known TEXT NOT NULL, submitted TEXT NOT NULL, PRIMARY KEY (origin, size, root)
  ) WITHOUT ROWID;`;

export interface WitnessedHead {
  readonly size: number;
  readonly root: Uint8Array;
  /** The note with the log's and our signatures, as it was cosigned. */
  readonly checkpoint: string;
}

/** Two statements of one log that can't both be true, or a growth it could not prove. */
export interface Contradiction {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly reason: "other-root" | "no-consistency";
  readonly noticedMs: number;
  /** What we cosigned. */
  readonly known: string;
  /** The request that contradicts it, signed by the log. */
  readonly submitted: string;
}

function headOf(row: Record<string, unknown>): WitnessedHead {
  const root = row["root"] as Uint8Array; // a BLOB column
  return { size: Number(row["size"]), root, checkpoint: String(row["checkpoint"]) };
}

export class WitnessStore {
  readonly #database: DatabaseSync;
  readonly #statements: Record<
    "find" | "all" | "byHash" | "insert" | "update" | "keep" | "kept",
    StatementSync
  >;

  constructor(path: string) {
    closeSync(openSync(path, "a", 0o600));
    this.#database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // FULL: a head is on disk before its cosignature leaves.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    this.#database.exec(SCHEMA);
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#statements = {
      find: prepare("SELECT size, root, checkpoint FROM heads WHERE origin = ?"),
      all: prepare("SELECT origin, size, root, checkpoint FROM heads ORDER BY origin"),
      byHash: prepare("SELECT checkpoint FROM heads WHERE origin_hash = ?"),
      insert: prepare(
        "INSERT INTO heads (origin, origin_hash, size, root, checkpoint, cosigned_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      ),
      update: prepare(
        "UPDATE heads SET size = ?, root = ?, checkpoint = ?, cosigned_ms = ? WHERE origin = ? AND size = ? AND root = ?",
      ),
      keep: prepare(
        `INSERT INTO contradictions (origin, size, root, reason, noticed_ms, known, submitted)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT count(*) FROM contradictions WHERE origin = ?1) < ${MAX_CONTRADICTIONS}
         ON CONFLICT DO NOTHING`,
      ),
      kept: prepare(
        "SELECT origin, size, root, reason, noticed_ms, known, submitted FROM contradictions ORDER BY noticed_ms LIMIT ?",
      ),
    };
  }

  head(origin: string): WitnessedHead | null {
    const row = this.#statements.find.get(origin);
    return row === undefined ? null : headOf(row);
  }

  heads(): (WitnessedHead & { readonly origin: string })[] {
    return this.#statements.all.all().map((row) => ({ origin: String(row["origin"]), ...headOf(row) }));
  }

  /** The newest cosigned checkpoint of the log whose origin has this SHA-256 (hexadecimal), or null. */
  checkpoint(originHash: string): string | null {
    const row = this.#statements.byHash.get(originHash);
    return row === undefined ? null : String(row["checkpoint"]);
  }

  /**
   * Moves a log's head from `known` to `head`, durable on return. False: somebody else moved it meanwhile, and nothing
   * was changed. Comparing and setting is one statement, so two requests can never both start from the same head.
   */
  advance(
    known: WitnessedHead | null,
    head: TreeHead & { originHash: string; checkpoint: string; nowMs: number },
  ): boolean {
    const { origin, originHash, size, root, checkpoint, nowMs } = head;
    const { changes } =
      known === null
        ? this.#statements.insert.run(origin, originHash, size, root, checkpoint, nowMs)
        : this.#statements.update.run(size, root, checkpoint, nowMs, origin, known.size, known.root);
    return Number(changes) === 1;
  }

  /** False: this one is known, or there are too many of this log. */
  keep(contradiction: Contradiction): boolean {
    const { origin, size, root, reason, noticedMs, known, submitted } = contradiction;
    const { changes } = this.#statements.keep.run(origin, size, root, reason, noticedMs, known, submitted);
    return Number(changes) === 1;
  }

  /** The oldest first. */
  contradictions(limit: number = MAX_CONTRADICTIONS): Contradiction[] {
    return this.#statements.kept.all(limit).map((row) => ({
      origin: String(row["origin"]),
      size: Number(row["size"]),
      root: row["root"] as Uint8Array,
      reason: row["reason"] as Contradiction["reason"], // written by `keep` alone
      noticedMs: Number(row["noticed_ms"]),
      known: String(row["known"]),
      submitted: String(row["submitted"]),
    }));
  }

  close(): void {
    this.#database.close();
  }
}
