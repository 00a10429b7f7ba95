// Opens the control plane's database, brings its tables up to date, and hands out its parts.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { Kysely, type Migration, Migrator } from "kysely";
import { DataFolder } from "../config/data-folder.ts";
import { Accounts } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { Findings } from "./findings.ts";
import { Keys, type RandomBytes } from "./keys.ts";
import { controlPlane } from "./migrations/001-control-plane.ts";
import { Sessions, Users } from "./people.ts";
import type { Tables } from "./schema.ts";
import { Settings } from "./settings.ts";
import { sqliteDialect } from "./sqlite.ts";

/** In the order of their names; a migration that was released is never changed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001-control-plane": controlPlane,
};

/** Others hold the lock for one small transaction; longer than this is a stuck process. */
const BUSY_TIMEOUT_MS = 5000;

export interface StateOptions {
  /** The data folder; it is made where missing. */
  readonly folder: string;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** How long a change waits for another process, milliseconds. Waiting blocks this process. */
  readonly busyTimeoutMs?: number;
}

/** Facts that are not in the log, or that must be at hand at once. Several processes may hold it open. */
export class State {
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly findings: Findings;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly settings: Settings;
  readonly #db: Kysely<Tables>;

  private constructor(db: Kysely<Tables>, now: () => number, random: RandomBytes | undefined) {
    this.#db = db;
    this.accounts = new Accounts(db, now);
    this.keys = new Keys(db, now, random);
    this.findings = new Findings(db, now);
    this.users = new Users(db, now);
    this.sessions = new Sessions(db, now, random);
    this.settings = new Settings(db, now);
  }

  /** @throws StateError `state-open-failed`, `state-newer`, `state-busy`, `state-full`, `state-damaged` */
  static async open({
    folder,
    now = Date.now,
    random,
    busyTimeoutMs = BUSY_TIMEOUT_MS,
  }: StateOptions): Promise<State> {
    const paths = new DataFolder(folder);
    let db: Kysely<Tables> | null = null;
    try {
      mkdirSync(paths.root, { recursive: true, mode: 0o700 });
      // SQLite gives its other files the mode of the first one.
      closeSync(openSync(paths.state, "a", 0o600));
      db = new Kysely<Tables>({ dialect: sqliteDialect(paths.state, { busyTimeoutMs }) });
      await migrate(db);
      return new State(db, now, random);
    } catch (cause) {
      await db?.destroy();
      if (cause instanceof StateError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StateError(
        "state-open-failed",
        `expected a state database at ${paths.state}, got: ${reason}`,
        { cause },
      );
    }
  }

  /** For the parts of `src/state/` that read in their own way. */
  get database(): Kysely<Tables> {
    return this.#db;
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && error.message.includes("corrupted migrations")) {
    throw new StateError("state-newer", `expected migrations known to this version, got: ${error.message}`, {
      cause: error,
    });
  }
  throw error;
}
