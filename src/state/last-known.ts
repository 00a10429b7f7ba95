// A copy on this machine's disk of what gateways need of a shared state, for gateways that start while it can't be reached.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Kysely, sql } from "kysely";
import { ACCOUNTS_AND_KEYS, currentRevision, VERDICTS } from "./revision.ts";
import type { Tables } from "./schema.ts";
import { State } from "./state.ts";

export interface LastKnownOptions {
  /** Owned by this part alone; made when it is first written. */
  readonly folder: string;
  /** A secret of the installation: only who has it can make a copy that is believed. */
  readonly key: Uint8Array;
  /** Which database it is a copy of: a copy of another one is none. */
  readonly place: string;
  readonly now: () => number;
}

/** Under which the installation's key derives the key of copies. */
export const LAST_KNOWN_PURPOSE = "last-known-state";
/** An unchanged copy is dated anew this often, so that its age says when the state last answered. */
const DATE_AGAIN_MS = 60_000;
const PAGE_ROWS = 2000;
/** SQLite binds some ten thousand values at once. */
const ROWS_PER_STATEMENT = 200;
/** `<time>-<proof>.sqlite`: one rename puts content, date and proof into place together. */
const NAME = /^(\d{1,16})-([0-9a-f]{64})\.sqlite$/;

/**
 * The copy is a state database of its own with the tables that authenticating and enforcing need, and without what they
 * don't: no facts about accounts but their status and organisation, no people, no findings. Mode 0600.
 */
export class LastKnown {
  readonly #options: LastKnownOptions;
  /** What the file in place holds. */
  #kept: { name: string; digest: string; revisions: string; atMs: number } | null = null;

  constructor(options: LastKnownOptions) {
    this.#options = options;
  }

  /** Brings the copy up to date where anything has changed. A crash leaves the last one. @throws StateError */
  async keep(state: State): Promise<void> {
    const { database } = state;
    const revisions = `${await currentRevision(database, ACCOUNTS_AND_KEYS)} ${await currentRevision(database, VERDICTS)}`;
    const nowMs = this.#options.now();
    if (this.#kept?.revisions === revisions) {
      if (nowMs - this.#kept.atMs < DATE_AGAIN_MS) return;
      const { digest, name } = this.#kept;
      await this.#put(join(this.#options.folder, name), { digest, revisions, atMs: nowMs });
      return;
    }
    const fresh = join(this.#options.folder, "new");
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { recursive: true, mode: 0o700 });
    const copy = await State.open({ folder: fresh });
    try {
      await copyInto(copy.database, database);
    } finally {
      await copy.close();
    }
    const file = join(fresh, "state.sqlite");
    await this.#put(file, { digest: digestOf(await readFile(file)), revisions, atMs: nowMs });
    await rm(fresh, { recursive: true, force: true });
  }

  /**
   * The newest copy that is whole, ours, and at most so old, opened from a folder of the caller's own; null: there is
   * none. What is written into it is lost. @param into a folder that is replaced
   */
  async open(
    into: string,
    { maxAgeMs }: { maxAgeMs: number },
  ): Promise<{ state: State; atMs: number } | null> {
    const { folder, now } = this.#options;
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((one) => NAME.test(one)).sort(newestFirst)) {
      const atMs = timeOf(name);
      if (now() - atMs > maxAgeMs) continue;
      const bytes = await readFile(join(folder, name)).catch(() => null);
      if (bytes === null || !this.#isOurs(name, digestOf(bytes))) continue;
      await rm(into, { recursive: true, force: true });
      await mkdir(into, { recursive: true, mode: 0o700 });
      // What was checked is what is opened, whatever happens to the file meanwhile.
      await writeFile(join(into, "state.sqlite"), bytes, { mode: 0o600 });
      return { state: await State.open({ folder: into }), atMs };
    }
    return null;
  }

  async #put(file: string, kept: { digest: string; revisions: string; atMs: number }): Promise<void> {
    const { folder } = this.#options;
    const name = `${kept.atMs}-${this.#proof(kept.atMs, kept.digest).toString("hex")}.sqlite`;
    await rename(file, join(folder, name));
    this.#kept = { name, ...kept };
    for (const other of await readdir(folder))
      if (NAME.test(other) && other !== name) await rm(join(folder, other), { force: true });
  }

  #isOurs(name: string, digest: string): boolean {
    const proof = Buffer.from(NAME.exec(name)?.[2] ?? "", "hex");
    return timingSafeEqual(proof, this.#proof(timeOf(name), digest));
  }

  #proof(atMs: number, digest: string): Buffer {
    const { key, place } = this.#options;
    return createHmac("sha256", key).update(`${atMs}\n${place}\n${digest}`).digest();
  }
}

/** What is copied: the table, its key, and the columns that are none of a gateway's business. */
const COPIED: readonly {
  table: keyof Tables;
  key: string;
  without: Readonly<Record<string, null | string>>;
}[] = [
  {
    table: "accounts",
    key: "account",
    without: {
      ...{ created: null, plan: null, payment: null },
      ...{ email_domain: null, country: null, declared_use: null },
    },
  },
  { table: "keys", key: "id", without: { label: "" } },
  { table: "end_user_keys", key: "id", without: { label: "" } },
  { table: "verdicts", key: "id", without: {} },
  { table: "verdict_accounts", key: "reference", without: {} },
];

/** In one transaction, and without looking at references: what changes meanwhile may come without what it refers to. */
async function copyInto(copy: Kysely<Tables>, from: Kysely<Tables>): Promise<void> {
  await sql`pragma foreign_keys = off`.execute(copy);
  await copy.transaction().execute(async (transaction) => {
    // First, so that whoever goes on from here reads again what changed while this was read.
    for (const row of await from.selectFrom("revisions").selectAll().execute())
      await transaction.insertInto("revisions").values(row).execute();
    for (const one of COPIED) await copyTable(transaction, from, one);
    for (const row of await from.selectFrom("budget_stops").selectAll().execute())
      await transaction.insertInto("budget_stops").values(row).execute();
  });
}

/** Rows in the order of their keys, a page at a time: nothing is held, and the process does other things in between. */
async function copyTable(
  copy: Kysely<Tables>,
  from: Kysely<Tables>,
  { table, key, without }: (typeof COPIED)[number],
): Promise<void> {
  let after = "";
  for (;;) {
    const page = sql<Record<string, unknown>>`
      select * from ${sql.table(table)} where ${sql.ref(key)} > ${after} order by ${sql.ref(key)} limit ${PAGE_ROWS}`;
    const { rows } = await page.execute(from);
    for (let start = 0; start < rows.length; start += ROWS_PER_STATEMENT) {
      const some = rows.slice(start, start + ROWS_PER_STATEMENT).map((row) => ({ ...row, ...without }));
      // Rows of a table as they were read from the same table.
      await copy
        .insertInto(table)
        .values(some as never)
        .execute();
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = String(last[key]);
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function timeOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? Number.NEGATIVE_INFINITY);
}

function newestFirst(one: string, other: string): number {
  return timeOf(other) - timeOf(one);
}
