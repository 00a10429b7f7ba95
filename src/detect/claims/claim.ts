// What every claim is made from: the detector's statement run on the store, and the parts that all assertions share.

import type { Parameters } from "../../store/engine.ts";
import type { Store } from "../../store/store.ts";
import { type Assertion, share } from "../assertion.ts";
import { type Detector, numberParameter } from "../catalog.ts";
import { DetectError } from "../errors.ts";

export interface RunOptions {
  readonly nowMs: number;
  /** Declared false discovery rate of a detector's claims in one look. */
  readonly level: number;
  /** Accounts in standing campaign claims: no standard for honest ones. */
  readonly accused?: ReadonlySet<string>;
}

/** What a hunt needs of a store: one reading statement. */
export type Readable = Pick<Store, "query">;

/** Runs a detector's statement, judges its rows, and words what it claims. @throws StoreError, DetectError */
export type Claim = (store: Readable, detector: Detector, options: RunOptions) => Promise<Assertion[]>;

const DAY_MS = 86_400_000;

/**
 * Rows of the detector's statement within its window before `nowMs`. Parameters that are one number go into it, and
 * `more`.
 */
export async function rowsOf<T>(
  store: Readable,
  detector: Detector,
  options: RunOptions,
  more: Parameters = {},
): Promise<T[]> {
  return ask<T>(store, detector, options, { sql: detector.sql, more });
}

/** The same of a further statement, which asks about what the judge chose from the first one's rows. */
export async function followUpRowsOf<T>(
  store: Readable,
  detector: Detector,
  options: RunOptions,
  { statement, parameters }: { readonly statement: string; readonly parameters: Parameters },
): Promise<T[]> {
  const sql = detector.followUps[statement];
  if (sql === undefined) {
    throw new DetectError("detector-invalid", `expected ${detector.folder} to have ${statement}.sql`);
  }
  return ask<T>(store, detector, options, { sql, more: parameters });
}

async function ask<T>(
  store: Readable,
  detector: Detector,
  options: RunOptions,
  { sql, more }: { readonly sql: string; readonly more: Parameters },
): Promise<T[]> {
  const scalars = Object.entries(detector.parameters).filter(([, { value }]) => typeof value === "number");
  const parameters = Object.fromEntries(scalars.map(([name, { value }]) => [name, value]));
  const fromMs = options.nowMs - numberParameter(detector, "windowDays") * DAY_MS;
  return store.query<T>(
    sql,
    { ...parameters, ...more, fromMs: Math.max(0, Math.trunc(fromMs)), nowMs: options.nowMs },
    { timeoutMs: detector.timeoutMs },
  );
}

export function identityOf(detector: Detector): Pick<Assertion, "kind" | "detector" | "technique"> {
  return { kind: detector.kind, detector: detector.id, technique: detector.atlas };
}

/** Of the accounts that could trip a signature (its statement `able`) how many are not `guilty` of it. */
export async function cleanAccounts(
  store: Readable,
  detector: Detector,
  options: RunOptions,
  { guilty }: { readonly guilty: readonly string[] },
): Promise<number> {
  const [counted] = await followUpRowsOf<{ readonly able: number }>(store, detector, options, {
    statement: "able",
    parameters: {},
  });
  return Math.max(0, (counted?.able ?? 0) - new Set(guilty).size);
}

/**
 * The error statement of a signature: none of `clean` like accounts shows it. Hanley and Lippman-Hand 1983: the upper
 * 95 % bound of a share of which no case was seen among n is 3/n.
 * @param like who these accounts are: "accounts with as many answers".
 */
export function ruleOfThree(clean: number, like: string): string {
  return `Signature. Of ${clean} other ${like} none trips it: at most ${share(Math.min(1, 3 / Math.max(1, clean)))} of such accounts would (95 % confidence, rule of three, accounts independent).`;
}

export function sinceText(ms: number): string {
  return `since ${new Date(ms).toISOString()}`;
}
