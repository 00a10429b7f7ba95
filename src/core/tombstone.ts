// What the log says of content that was destroyed: which records, by whom, why. Everything else stays provable.
import { utf8Text } from "./bytes.ts";

/** The act that announces an erasure. It is under the installation's key, so that it outlives the account's. */
export const TOMBSTONE_ACT = "content.erased";

/** Records `from` to before `to`, by leaf index. */
export type LeafSpan = readonly [from: number, to: number];

export interface Tombstone {
  /** Id of the erasure. */
  readonly erasure: string;
  /** Somebody asked for it, or the records had reached the age that the configuration states. */
  readonly cause: "request" | "retention";
  /** Under which law or duty, as who ordered it wrote. */
  readonly legalBasis: string;
  /** Pseudonym of an account all of whose records so far were erased; null: only the `records`. */
  readonly account: string | null;
  /** Ids of the account keys that were destroyed, base64url. */
  readonly keys: readonly string[];
  /** Records that were erased one by one, ascending. */
  readonly records: readonly LeafSpan[];
}

/** A tombstone at its place in the log. */
export interface PlacedTombstone extends Tombstone {
  readonly index: number;
  readonly time: string;
}

function isSpan(value: unknown): value is LeafSpan {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as unknown[];
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) < Number(to);
}

/** Reads the detail of a `content.erased` act; null where it is none. */
export function parseTombstone(detail: Uint8Array): Tombstone | null {
  const text = utf8Text(detail);
  let value: unknown = null;
  try {
    value = text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { erasure, cause, legalBasis, account, keys, records } = value as Record<string, unknown>;
  if (typeof erasure !== "string" || typeof legalBasis !== "string") return null;
  if (cause !== "request" && cause !== "retention") return null;
  if (account !== null && typeof account !== "string") return null;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) return null;
  if (!Array.isArray(records) || !records.every(isSpan)) return null;
  return { erasure, cause, legalBasis, account, keys, records };
}

/** What is known of a record whose content is missing. */
export interface MissingRecord {
  readonly index: number;
  /** Pseudonym in its leaf, or null. */
  readonly account: string | null;
  /** Id of its account key, base64url, where the pack still tells it. */
  readonly keyId: string | null;
}

/**
 * What a log's tombstones announce together. A record counts as announced by its index; by its account where it came
 * before the tombstone; or by its key: what was written in the moment before the last copy of the key in memory went.
 */
export class Announced {
  readonly #keys: Set<string> = new Set();
  /** Index of the newest tombstone of each account. */
  readonly #accounts: Map<string, number> = new Map();
  readonly #spans: readonly LeafSpan[];

  constructor(tombstones: readonly PlacedTombstone[]) {
    for (const { keys, account, index } of tombstones) {
      for (const key of keys) this.#keys.add(key);
      if (account !== null) this.#accounts.set(account, Math.max(index, this.#accounts.get(account) ?? 0));
    }
    this.#spans = mergeSpans(tombstones.flatMap(({ records }) => records));
  }

  covers({ index, account, keyId }: MissingRecord): boolean {
    if (account !== null && index < (this.#accounts.get(account) ?? 0)) return true;
    if (keyId !== null && this.#keys.has(keyId)) return true;
    let [low, high] = [0, this.#spans.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[middle]?.[1] ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return (this.#spans[low]?.[0] ?? Number.POSITIVE_INFINITY) <= index;
  }
}

/** The same records in as few spans as possible, ascending. */
export function mergeSpans(spans: readonly LeafSpan[]): LeafSpan[] {
  const merged: [number, number][] = [];
  for (const [from, to] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
