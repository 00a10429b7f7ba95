// Legal holds, and erasures that have begun: one file, so that nothing can be erased and held at once.
import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { z } from "zod";
import type { HoldFacts } from "../core/erasure-acts.ts";
import { type LeafSpan, mergeSpans } from "../core/tombstone.ts";
import { LogError } from "./errors.ts";
import { checkMode } from "./key-store.ts";

const BUSY_TIMEOUT_MS = 10_000;
/** Most holds that a list shows, the newest first. */
const MAX_LISTED = 1_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS holds (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, exchange TEXT, authority TEXT NOT NULL, reference TEXT NOT NULL,
    placed_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, released_ms INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS holds_by_account ON holds (account);
  CREATE TABLE IF NOT EXISTS erasures (
    id TEXT PRIMARY KEY, scope TEXT NOT NULL, begun_ms INTEGER NOT NULL, recorded_ms INTEGER, done_ms INTEGER
  ) WITHOUT ROWID;`;

export interface Hold extends HoldFacts {
  readonly placedMs: number;
  /** Null: not before its time. */
  readonly releasedMs: number | null;
}

/** What one erasure destroys. */
export interface ErasureScope {
  readonly cause: "request" | "retention";
  readonly legalBasis: string;
  /** Pseudonym of the account that is erased as a whole; null: `records` alone. */
  readonly account: string | null;
  /** The account's name, for the parts of the installation that know it by that; null once the erasure is done. */
  readonly name: string | null;
  readonly exchange: string | null;
  readonly keys: readonly string[];
  readonly records: readonly LeafSpan[];
}

export interface BegunErasure extends ErasureScope {
  readonly id: string;
  readonly isRecorded: boolean;
}

const span = z.tuple([z.number().int().nonnegative(), z.number().int().positive()]);
const SCOPE: z.ZodType<ErasureScope> = z.strictObject({
  cause: z.enum(["request", "retention"]),
  legalBasis: z.string(),
  account: z.string().nullable(),
  name: z.string().nullable(),
  exchange: z.string().nullable(),
  keys: z.array(z.string()),
  records: z.array(span),
});

/** What a hold or an erasure is about: one exchange of an account, or (null) all of the account. */
export interface Subject {
  readonly account: string;
  readonly exchange: string | null;
}

function holdOf(row: Record<string, unknown>): Hold {
  const text = (name: string): string => String(row[name]);
  return {
    hold: text("id"),
    account: text("account"),
    exchange: row["exchange"] === null ? null : text("exchange"),
    authority: text("authority"),
    reference: text("reference"),
    placedMs: Number(row["placed_ms"]),
    expiresMs: Number(row["expires_ms"]),
    releasedMs: row["released_ms"] === null ? null : Number(row["released_ms"]),
  };
}

export class ErasureJournal {
  readonly #database: DatabaseSync;
  readonly #clock: () => number;

  private constructor(database: DatabaseSync, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Throws `log.key-mode` when others may read it. */
  static async open(path: string, clock: () => number = Date.now): Promise<ErasureJournal> {
    closeSync(openSync(path, "a", 0o600));
    await checkMode(path);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Names of accounts are in here while they are being erased, and overwritten afterwards.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
    database.exec(SCHEMA);
    return new ErasureJournal(database, clock);
  }

  /** Holds in force that keep this from being erased; without `subject` all that are in force. */
  inForce(subject?: Subject): Hold[] {
    const about: SQLInputValue[] = [Math.floor(this.#clock())];
    let where = "released_ms IS NULL AND expires_ms > ?";
    if (subject !== undefined) {
      where += " AND account = ?";
      about.push(subject.account);
      if (subject.exchange !== null) {
        where += " AND (exchange IS NULL OR exchange = ?)";
        about.push(subject.exchange);
      }
    }
    const rows = this.#database
      .prepare(`SELECT * FROM holds WHERE ${where} ORDER BY placed_ms`)
      .all(...about);
    return rows.map(holdOf);
  }

  /** All holds there ever were, the newest first. */
  holds(): Hold[] {
    return this.#database
      .prepare("SELECT * FROM holds ORDER BY placed_ms DESC, id LIMIT ?")
      .all(MAX_LISTED)
      .map(holdOf);
  }

  /** Throws `log.not-found`. */
  hold(id: string): Hold {
    const row = this.#database.prepare("SELECT * FROM holds WHERE id = ?").get(id);
    if (row === undefined) throw new LogError("log.not-found", `expected a hold, got ${id}`);
    return holdOf(row);
  }

  /** Throws `log.erasing` when an erasure of the same has begun: it is too late. */
  place(hold: HoldFacts): void {
    this.#atOnce(() => {
      const begun = this.unfinished().find(
        ({ account, exchange }) =>
          account === hold.account || (exchange !== null && exchange === hold.exchange),
      );
      if (begun !== undefined)
        throw new LogError(
          "log.erasing",
          `expected content to hold, got one whose erasure ${begun.id} has begun`,
        );
      const { account, exchange, authority, reference, expiresMs } = hold;
      this.#database
        .prepare(
          "INSERT INTO holds (id, account, exchange, authority, reference, placed_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .run(hold.hold, account, exchange, authority, reference, Math.floor(this.#clock()), expiresMs);
    });
  }

  /** Sets a later end. Throws `log.not-found` for one that is not in force any more. */
  extend(id: string, expiresMs: number): void {
    this.#change("UPDATE holds SET expires_ms = ?", id, expiresMs);
  }

  release(id: string): void {
    this.#change("UPDATE holds SET released_ms = ?", id, Math.floor(this.#clock()));
  }

  #change(update: string, id: string, value: number): void {
    const { changes } = this.#database
      .prepare(`${update} WHERE id = ? AND released_ms IS NULL AND expires_ms > ?`)
      .run(value, id, Math.floor(this.#clock()));
    if (Number(changes) !== 1) throw new LogError("log.not-found", `expected a hold in force, got ${id}`);
  }

  /**
   * From here on the erasure is completed, whatever happens in between. `guard`: what must not be held, or the holds that
   * were respected when the scope was made. Throws `log.held`.
   */
  begin(
    id: string,
    scope: ErasureScope,
    guard: readonly Subject[] | { readonly holds: readonly Hold[] },
  ): void {
    this.#atOnce(() => {
      if ("holds" in guard) this.#requireSameHolds(guard.holds);
      const subjects = "holds" in guard ? [] : guard;
      for (const subject of subjects) {
        const [hold] = this.inForce(subject);
        if (hold === undefined) continue;
        const until = new Date(hold.expiresMs).toISOString();
        throw new LogError(
          "log.held",
          `expected content that may be erased, got a hold: ${hold.hold} by ${hold.authority} until ${until}`,
        );
      }
      this.#database
        .prepare("INSERT INTO erasures (id, scope, begun_ms) VALUES (?, ?, ?)")
        .run(id, JSON.stringify(scope), Math.floor(this.#clock()));
    });
  }

  #requireSameHolds(respected: readonly Hold[]): void {
    const known = new Set(respected.map(({ hold }) => hold));
    const added = this.inForce().find(({ hold }) => !known.has(hold));
    if (added !== undefined)
      throw new LogError("log.held", `expected no new hold, got ${added.hold} by ${added.authority}`);
  }

  /** Records that were erased because of their age, by all runs so far. */
  retired(): LeafSpan[] {
    const rows = this.#database.prepare("SELECT scope FROM erasures ORDER BY id").all();
    const scopes = rows.map((row) => SCOPE.parse(JSON.parse(String(row["scope"]))));
    return mergeSpans(scopes.filter(({ cause }) => cause === "retention").flatMap(({ records }) => records));
  }

  /** Its tombstone is durable in the log. */
  markRecorded(id: string): void {
    this.#database
      .prepare("UPDATE erasures SET recorded_ms = ? WHERE id = ?")
      .run(Math.floor(this.#clock()), id);
  }

  /** Nothing is left to do; the account's name is forgotten. */
  markDone(id: string): void {
    const row = this.#database.prepare("SELECT scope FROM erasures WHERE id = ?").get(id);
    const scope = { ...SCOPE.parse(JSON.parse(String(row?.["scope"]))), name: null };
    this.#database
      .prepare("UPDATE erasures SET done_ms = ?, scope = ? WHERE id = ?")
      .run(Math.floor(this.#clock()), JSON.stringify(scope), id);
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Begun and not done, in the order of their ids. */
  unfinished(): BegunErasure[] {
    const rows = this.#database
      .prepare("SELECT id, scope, recorded_ms FROM erasures WHERE done_ms IS NULL ORDER BY id")
      .all();
    return rows.map((row) => ({
      id: String(row["id"]),
      ...SCOPE.parse(JSON.parse(String(row["scope"]))),
      isRecorded: row["recorded_ms"] !== null,
    }));
  }

  close(): void {
    this.#database.close();
  }

  #atOnce(change: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
