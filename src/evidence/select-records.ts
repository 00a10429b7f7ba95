// Goes through the log's public leaves once: which records belong to a case, and how healthy the log was meanwhile.
import type { Leaf } from "../core/leaf.ts";
import { parseTombstone, TOMBSTONE_ACT } from "../core/tombstone.ts";
import type { SealedLog } from "../log/sealed-log.ts";
import { EvidenceError } from "./errors.ts";
import { LogHealth } from "./log-health.ts";
import { CASE_ACT, type CustodyEntry, parseCustody } from "./verify/custody.ts";
import { MAX_BUNDLE_RECORDS } from "./verify/layout.ts";

export interface Selection {
  /** Leaf indexes of the bundle's records, ascending. */
  readonly indexes: readonly number[];
  readonly custody: readonly CustodyEntry[];
  readonly gaps: readonly number[];
  /** Indexes of tombstones that may speak of the case's records. */
  readonly tombstones: readonly number[];
  /** Leaves of the case's exchanges in all, and those outside the period. */
  readonly matching: number;
  readonly outsidePeriod: number;
  readonly health: LogHealth;
}

export interface SelectionOptions {
  readonly caseId: string;
  readonly pseudonyms: ReadonlySet<string>;
  readonly exchanges: ReadonlySet<string>;
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Leaves [0, size) are looked at. */
  readonly size: number;
  readonly onProgress?: ((leaves: number) => void) | undefined;
}

const GAPS: ReadonlySet<string> = new Set(["log.write-failed", "log.damaged"]);
const ACTS_OF_ACCOUNTS = /^(account|key|verdict|appeal)\.[a-z-]+$/;
const PROGRESS_LEAVES = 4096;

/** @throws EvidenceError `evidence.too-large`; LogError `log.damaged` */
export async function selectRecords(log: SealedLog, options: SelectionOptions): Promise<Selection> {
  const scan = new Scan(log, options);
  for await (const { index, leaf } of log.leaves(0, options.size)) {
    await scan.see(index, leaf);
    if (index % PROGRESS_LEAVES === 0) options.onProgress?.(index);
  }
  return scan.selection();
}

class Scan {
  readonly #log: SealedLog;
  readonly #options: SelectionOptions;
  readonly #indexes: number[] = [];
  readonly #custody: CustodyEntry[] = [];
  readonly #gaps: number[] = [];
  readonly #tombstones: number[] = [];
  readonly #health = new LogHealth();
  /** Exchanges of the case that were opened within the period, by the leaf index of their open. */
  readonly #opens: Map<number, string> = new Map();
  readonly #exchanges: Set<string> = new Set();
  #matching = 0;
  #outside = 0;

  constructor(log: SealedLog, options: SelectionOptions) {
    this.#log = log;
    this.#options = options;
  }

  async see(index: number, leaf: Leaf): Promise<void> {
    this.#health.see(leaf);
    const takes = leaf.kind === "act" ? await this.#takesAct(index, leaf) : this.#takesExchange(index, leaf);
    if (!takes) return;
    this.#indexes.push(index);
    if (this.#indexes.length > MAX_BUNDLE_RECORDS)
      throw new EvidenceError(
        "evidence.too-large",
        `expected at most ${MAX_BUNDLE_RECORDS} records in a bundle, got more`,
      );
  }

  #takesExchange(index: number, leaf: Leaf): boolean {
    const { pseudonyms, exchanges, sinceMs, untilMs } = this.#options;
    const ours = pseudonyms.has(leaf.account ?? "") || exchanges.has(leaf.exchange ?? "");
    if (!ours) return false;
    this.#matching += 1;
    const timeMs = Date.parse(leaf.time);
    const within =
      leaf.kind === "open"
        ? (sinceMs === null || timeMs >= sinceMs) && (untilMs === null || timeMs < untilMs)
        : this.#opens.has(leaf.open ?? -1);
    if (!within) {
      this.#outside += 1;
      return false;
    }
    if (leaf.kind === "open") this.#opens.set(index, leaf.exchange ?? "");
    this.#exchanges.add(leaf.exchange ?? "");
    return true;
  }

  async #takesAct(index: number, leaf: Leaf): Promise<boolean> {
    const act = leaf.act ?? "";
    if (leaf.account !== undefined)
      return this.#options.pseudonyms.has(leaf.account) && ACTS_OF_ACCOUNTS.test(act);
    if (GAPS.has(act)) {
      this.#gaps.push(index);
      return true;
    }
    if (act !== CASE_ACT && act !== TOMBSTONE_ACT && act !== "content.revealed") return false;
    const detail = (await this.#log.record(index)).content?.get("detail");
    if (detail === undefined) return false;
    if (act === CASE_ACT) return this.#custodyAct(index, leaf, detail);
    if (act === "content.revealed") return this.#exchanges.has(exchangeOf(detail));
    if (parseTombstone(detail) === null) return false;
    this.#tombstones.push(index);
    return false; // taken later, if it turns out to speak of a record of the case
  }

  #custodyAct(index: number, leaf: Leaf, detail: Uint8Array): boolean {
    const entry = parseCustody(detail);
    if (entry?.case !== this.#options.caseId) return false;
    this.#custody.push({ ...entry, index, time: leaf.time });
    return true;
  }

  selection(): Selection {
    return {
      indexes: this.#indexes,
      custody: this.#custody,
      gaps: this.#gaps,
      tombstones: this.#tombstones,
      matching: this.#matching,
      outsidePeriod: this.#outside,
      health: this.#health,
    };
  }
}

function exchangeOf(detail: Uint8Array): string {
  const value = JSON.parse(new TextDecoder().decode(detail)) as { exchange?: unknown };
  return typeof value.exchange === "string" ? value.exchange : "";
}
