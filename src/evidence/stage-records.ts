// Writes a case's records and proofs into the bundle and gathers what the other documents say of them.
import type { Checkpoint } from "../core/checkpoint.ts";
import { FIELDS } from "../core/record.ts";
import { Announced, type PlacedTombstone, parseTombstone } from "../core/tombstone.ts";
import type { SealedLog, SealedRecord } from "../log/sealed-log.ts";
import { Chronicle } from "./chronicle.ts";
import { closeFacts, openFacts } from "./exchange-excerpt.ts";
import { Fleet } from "./fleet.ts";
import type { Erasure, Example } from "./report/input.ts";
import type { Staging } from "./staging.ts";
import { closeLine, openLine } from "./timeline.ts";
import {
  type DisclosedField,
  type DisclosedRecord,
  discloseField,
  formatRecord,
} from "./verify/disclosed-record.ts";
import type { RecordCounts } from "./verify/documents.ts";
import { proofPath, recordPath } from "./verify/layout.ts";
import { canonicalValue } from "./verify/shapes.ts";
import { CaseStatistics } from "./verify/statistics.ts";

/** Why a field is withheld, by `<kind>.<field>` or `<field>`. */
export type Withheld = ReadonlyMap<string, string>;

export interface RecordStagerOptions {
  readonly log: SealedLog;
  readonly checkpoint: Checkpoint;
  readonly staging: Staging;
  readonly withheld: Withheld;
  readonly accounts: readonly string[];
  /** Indexes of tombstones that may explain missing content. */
  readonly tombstones: readonly number[];
}

const NO_KEY = "the content can't be read: its key is not there, and no erasure is recorded";
const MAX_EXAMPLES = 6;
const EXCERPT = 2000;

export class RecordStager {
  readonly statistics: CaseStatistics = new CaseStatistics();
  readonly fleet: Fleet;
  readonly chronicle: Chronicle = new Chronicle();
  readonly timeline: { readonly time: string; readonly line: string }[] = [];
  /** Account names by pseudonym, as far as content told them. */
  readonly names: Map<string, string> = new Map();
  readonly counts: { -readonly [Name in keyof RecordCounts]: number } = {
    open: 0,
    close: 0,
    interrupted: 0,
    act: 0,
    fieldsOpened: 0,
    fieldsWithheld: 0,
    erased: 0,
  };
  /** Exchanges that were taken over from another system's records. */
  imported = 0;
  /** Answered exchanges of which that can't be told. */
  unknownOrigin = 0;
  readonly #options: RecordStagerOptions;
  readonly #examples: Map<
    string,
    { -readonly [Member in keyof Example]: Example[Member] } & { exchange: string }
  > = new Map();
  readonly #tombstones: PlacedTombstone[] = [];
  /** Records that each tombstone explains, by the tombstone's index. */
  readonly #usedTombstones: Map<number, number> = new Map();

  constructor(options: RecordStagerOptions) {
    this.#options = options;
    this.fleet = new Fleet(options.accounts);
  }

  async readTombstones(): Promise<void> {
    for (const index of this.#options.tombstones) {
      const { leaf, content } = await this.#options.log.record(index);
      const detail = content?.get("detail");
      const tombstone = detail === undefined ? null : parseTombstone(detail);
      if (tombstone !== null) this.#tombstones.push({ ...tombstone, index, time: leaf.time });
    }
  }

  /** Stages records, each with its proof. `indexes`: ascending. */
  async add(indexes: readonly number[], onProgress?: (done: number) => void): Promise<void> {
    const { staging, log, checkpoint } = this.#options;
    const prove = await log.prover(checkpoint);
    let done = 0;
    for await (const record of log.recordsAt(indexes)) {
      const { index, leaf, account } = record;
      if (leaf.account !== undefined && account !== null) this.names.set(leaf.account, account);
      const disclosed = this.#disclose(record);
      await staging.add(recordPath(index), formatRecord(disclosed));
      await staging.add(proofPath(index), await prove(index));
      this.#count(disclosed);
      this.statistics.add(disclosed);
      this.#tell(record, disclosed);
      done += 1;
      onProgress?.(done);
    }
  }

  /** The tombstones that explain missing content, staged like every other record. */
  async addTombstones(): Promise<void> {
    await this.add([...this.#usedTombstones.keys()].sort((a, b) => a - b));
  }

  #disclose({ index, leaf, content, salts }: SealedRecord): DisclosedRecord {
    if (leaf.commit === undefined || leaf.kind === "interrupted") return { index, leaf };
    if (content === null || salts === null) return this.#missing({ index, leaf });
    const fields: Record<string, DisclosedField> = {};
    for (const name of FIELDS[leaf.kind]) {
      const value = content.get(name);
      const salt = salts.get(name);
      const why = this.#options.withheld.get(name);
      const isAct = leaf.kind === "act";
      if (value === undefined || salt === undefined) fields[name] = { withheld: NO_KEY };
      else fields[name] = why !== undefined && !isAct ? { withheld: why } : discloseField(value, salt);
    }
    return { index, leaf, fields };
  }

  #missing({ index, leaf }: Pick<SealedRecord, "index" | "leaf">): DisclosedRecord {
    const missing = { index, account: leaf.account ?? null, keyId: null };
    const tombstone = this.#tombstones.find((one) => new Announced([one]).covers(missing));
    if (tombstone !== undefined) {
      this.#usedTombstones.set(tombstone.index, (this.#usedTombstones.get(tombstone.index) ?? 0) + 1);
      return { index, leaf, erased: tombstone.index };
    }
    const names = leaf.kind === "interrupted" ? [] : FIELDS[leaf.kind];
    return { index, leaf, fields: Object.fromEntries(names.map((name) => [name, { withheld: NO_KEY }])) };
  }

  #count({ leaf, fields, erased }: DisclosedRecord): void {
    this.counts[leaf.kind] += 1;
    if (erased !== undefined) this.counts.erased += 1;
    for (const field of Object.values(fields ?? {})) {
      if ("withheld" in field) this.counts.fieldsWithheld += 1;
      else this.counts.fieldsOpened += 1;
    }
  }

  /** Only what the bundle shows goes into the report and the timeline. */
  #tell({ index, leaf, account, content }: SealedRecord, { fields }: DisclosedRecord): void {
    const shown = new Map(
      [...(content ?? [])].filter(([name]) => fields?.[name] !== undefined && !("withheld" in fields[name])),
    );
    const who = account ?? leaf.account ?? "unknown account";
    if (leaf.act === "account.recorded") {
      const detail = canonicalValue(shown.get("detail") ?? new Uint8Array());
      this.fleet.addAccount(detail);
      this.chronicle.describe(detail);
    } else if (leaf.act !== undefined && leaf.account !== undefined)
      this.chronicle.addAct({ time: leaf.time, act: leaf.act, account: who });
    if (leaf.kind === "open") {
      const facts = openFacts(shown);
      this.fleet.addExchange(who, facts);
      this.chronicle.addRequest(who, leaf.time);
      this.timeline.push({ time: leaf.time, line: openLine(index, leaf, account, facts) });
      if (!this.#examples.has(who) && this.#examples.size < MAX_EXAMPLES)
        this.#examples.set(who, {
          index,
          account: who,
          time: leaf.time,
          input: facts.input?.slice(0, EXCERPT) ?? null,
          answer: null,
          exchange: leaf.exchange ?? "",
        });
    }
    if (leaf.kind === "close" || leaf.kind === "interrupted") {
      const facts = closeFacts(shown);
      if (facts.imported === true) this.imported += 1;
      if (facts.imported === null && leaf.kind === "close") this.unknownOrigin += 1;
      this.timeline.push({ time: leaf.time, line: closeLine(index, leaf, account, facts) });
      const example = this.#examples.get(who);
      if (example !== undefined && example.exchange === leaf.exchange && facts.answer !== null)
        example.answer = facts.answer.slice(0, EXCERPT);
    }
  }

  /** What was erased of the case's records, when and why. */
  get erasures(): readonly Erasure[] {
    return this.#tombstones.flatMap(({ index, time, cause, legalBasis, account }) => {
      const records = this.#usedTombstones.get(index);
      return records === undefined ? [] : [{ index, time, cause, legalBasis, account, records }];
    });
  }

  get examples(): readonly Example[] {
    return [...this.#examples.values()];
  }
}
