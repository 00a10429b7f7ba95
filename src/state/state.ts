// Opens the control plane's database, brings its tables up to date, and hands out its parts.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Dialect, Kysely, type Migration, Migrator } from "kysely";
import { DataFolder } from "../config/data-folder.ts";
import { readSecret } from "../config/secret.ts";
import { EMBEDDED_STATE, type StateConfig } from "../config/state-section.ts";
import { type AccountErasure, eraseAccount } from "./account-erasure.ts";
import { Accounts } from "./accounts.ts";
import { Alerts } from "./alerts.ts";
import { Appeals } from "./appeals.ts";
import { BudgetStops } from "./budget-stops.ts";
import { Approvals } from "./case-approvals.ts";
import { Cases } from "./cases.ts";
import { EndUserKeys } from "./end-user-keys.ts";
import { StateError } from "./errors.ts";
import { Findings } from "./findings.ts";
import { Keys } from "./keys.ts";
import { controlPlane } from "./migrations/001-control-plane.ts";
import { identities } from "./migrations/002-identities.ts";
import { response } from "./migrations/003-response.ts";
import { cases } from "./migrations/004-cases.ts";
import { namedByHand } from "./migrations/005-named-by-hand.ts";
import { untilDecided } from "./migrations/006-until-decided.ts";
import { Organizations } from "./organizations.ts";
import { Outcomes } from "./outcomes.ts";
import type { RandomBytes, StateContext } from "./part.ts";
import { Users } from "./people.ts";
import { PersonIdentities } from "./person-identities.ts";
import { orderTextByBytes, postgresDialect } from "./postgres.ts";
import type { Tables } from "./schema.ts";
import { Sessions } from "./sessions.ts";
import { Settings } from "./settings.ts";
import { sqliteDialect } from "./sqlite.ts";
import { Standing } from "./standing.ts";
import { Tokens } from "./tokens.ts";
import { Verdicts } from "./verdicts.ts";

/** In the order of their names; a migration that was released is never changed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001-control-plane": controlPlane,
  "002-identities": identities,
  "003-response": response,
  "004-cases": cases,
  "005-named-by-hand": namedByHand,
  "006-until-decided": untilDecided,
};

export interface StateOptions {
  /** The data folder; it is made where missing. */
  readonly folder: string;
  /** Which database; SQLite in the data folder where nothing is said. */
  readonly config?: StateConfig;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

/** Facts that are not in the log, or that must be at hand at once. Several processes may hold it open. */
export class State {
  readonly accounts: Accounts;
  readonly keys: Keys;
  readonly organizations: Organizations;
  readonly standing: Standing;
  readonly endUserKeys: EndUserKeys;
  readonly findings: Findings;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly identities: PersonIdentities;
  readonly tokens: Tokens;
  readonly settings: Settings;
  readonly verdicts: Verdicts;
  readonly appeals: Appeals;
  readonly outcomes: Outcomes;
  readonly alerts: Alerts;
  readonly budgetStops: BudgetStops;
  readonly cases: Cases;
  readonly approvals: Approvals;
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;

  private constructor(context: StateContext) {
    this.#db = context.db;
    this.#now = context.now;
    this.accounts = new Accounts(context);
    this.keys = new Keys(context);
    this.organizations = new Organizations(context);
    this.standing = new Standing(context);
    this.endUserKeys = new EndUserKeys(context);
    this.findings = new Findings(context);
    this.users = new Users(context);
    this.sessions = new Sessions(context);
    this.identities = new PersonIdentities(context);
    this.tokens = new Tokens(context);
    this.settings = new Settings(context);
    this.verdicts = new Verdicts(context);
    this.appeals = new Appeals(context);
    this.outcomes = new Outcomes(context);
    this.alerts = new Alerts(context);
    this.budgetStops = new BudgetStops(context);
    this.cases = new Cases(context);
    this.approvals = new Approvals(context);
  }

  /**
   * @throws StateError `state-open-failed`, `state-unavailable`, `state-newer`, `state-busy`, `state-full`, `state-damaged`
   * @throws ConfigError `secret-unavailable`
   */
  static async open({
    folder,
    config = EMBEDDED_STATE,
    now = Date.now,
    random,
  }: StateOptions): Promise<State> {
    const paths = new DataFolder(folder);
    const dialect = config.url === null ? embedded(paths, config) : await shared(config, config.url);
    const db = new Kysely<Tables>({ dialect });
    try {
      await migrate(db);
      if (config.url !== null) await orderTextByBytes(db);
      return new State({ db, now, random });
    } catch (cause) {
      await db.destroy();
      if (cause instanceof StateError) throw cause;
      throw openFailed(config.url ?? paths.state, cause);
    }
  }

  /** Forgets an account but for its pseudonym, after its content was erased. */
  async eraseAccount(erasure: AccountErasure): Promise<void> {
    await eraseAccount(this.#db, erasure, this.#now);
  }

  /** For the parts of `src/state/` that read in their own way. */
  get database(): Kysely<Tables> {
    return this.#db;
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

/** @throws StateError `state-open-failed` */
function embedded(paths: DataFolder, { busyTimeoutMs }: StateConfig): Dialect {
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 });
    // SQLite gives its other files the mode of the first one.
    closeSync(openSync(paths.state, "a", 0o600));
  } catch (cause) {
    throw openFailed(paths.state, cause);
  }
  return sqliteDialect(paths.state, { busyTimeoutMs });
}

async function shared(config: StateConfig, url: string): Promise<Dialect> {
  const { tls, connections, busyTimeoutMs, certificateAuthority: file } = config;
  const password = config.password === null ? null : await readSecret(config.password);
  try {
    const certificateAuthority = file === null ? null : await readFile(file, "utf8");
    return postgresDialect({ url, password, tls, certificateAuthority, connections, busyTimeoutMs });
  } catch (cause) {
    throw openFailed(url, cause);
  }
}

/** `place` holds no password: the configuration keeps those elsewhere. */
function openFailed(place: string, cause: unknown): StateError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StateError("state-open-failed", `expected a state database at ${place}, got: ${reason}`, {
    cause,
  });
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
