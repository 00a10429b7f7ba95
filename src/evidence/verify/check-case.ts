// Checks what the bundle's records say together: custody, header, completeness, findings, and whose records they are.
import { equalBytes, hex, utf8 } from "../../core/bytes.ts";
import { canonicalJson } from "../../core/canonical-json.ts";
import { openingText } from "../../core/case-acts.ts";
import { sha256 } from "../../core/sha256.ts";
import { Announced, type PlacedTombstone, parseTombstone, TOMBSTONE_ACT } from "../../core/tombstone.ts";
import type { BundleFiles } from "./bundle-files.ts";
import type { CheckedRecord } from "./check-records.ts";
import { CASE_ACT, type CustodyEntry, chainProblem, formatCustody, parseCustody } from "./custody.ts";
import type { DisclosedRecord } from "./disclosed-record.ts";
import { type BundleHeader, type Completeness, parseCompleteness, type RecordCounts } from "./documents.ts";
import { findingPath, PATHS, placeOf } from "./layout.ts";
import { canonicalValue, isObject } from "./shapes.ts";
import { CaseStatistics } from "./statistics.ts";
import { type Reasons, Refusal } from "./verdict.ts";

/** Acts about an account that may stand in a bundle: who it is, and what was done to it and its content. */
const ACTS_OF_ACCOUNTS = /^(account|key|verdict|appeal)\.[a-z-]+$/;
/** Acts of the installation that may: the log's own gaps, and looks at content of the case's exchanges. */
const GAPS: ReadonlySet<string> = new Set(["log.write-failed", "log.damaged"]);

/** Goes through the records once, keeping what the checks afterwards need: no content but that of acts. */
export class CaseCheck {
  readonly #files: BundleFiles;
  readonly #header: BundleHeader;
  readonly #reasons: Reasons;
  readonly #completeness: Completeness;
  readonly #pseudonyms: ReadonlySet<string>;
  readonly #exchanges: ReadonlySet<string>;
  readonly #custody: CustodyEntry[] = [];
  readonly #gaps: number[] = [];
  readonly #opened: Set<unknown> = new Set();
  readonly #tombstones: Map<number, PlacedTombstone> = new Map();
  readonly #erased: { record: DisclosedRecord; path: string }[] = [];
  readonly #statistics: CaseStatistics = new CaseStatistics();
  readonly #counts: { -readonly [Name in keyof RecordCounts]: number } = {
    open: 0,
    close: 0,
    interrupted: 0,
    act: 0,
    fieldsOpened: 0,
    fieldsWithheld: 0,
    erased: 0,
  };

  constructor(files: BundleFiles, header: BundleHeader, completeness: Completeness, reasons: Reasons) {
    this.#files = files;
    this.#header = header;
    this.#reasons = reasons;
    this.#completeness = completeness;
    this.#pseudonyms = new Set(completeness.query.accounts.map(({ pseudonym }) => pseudonym));
    this.#exchanges = new Set(completeness.query.exchanges);
  }

  get counts(): RecordCounts {
    return this.#counts;
  }

  get custodyEntries(): number {
    return this.#custody.length;
  }

  add({ record, opened }: CheckedRecord, path: string): void {
    const { leaf, index } = record;
    this.#counts[leaf.kind] += 1;
    this.#counts.fieldsOpened += opened.values.size;
    this.#counts.fieldsWithheld += opened.withheld;
    if (record.erased !== undefined) {
      this.#counts.erased += 1;
      this.#erased.push({ record, path });
    }
    this.#statistics.add(record);
    if (leaf.kind === "open") this.#opened.add(leaf.exchange);
    if (leaf.act !== undefined && GAPS.has(leaf.act)) this.#gaps.push(index);
    if (leaf.act === CASE_ACT) this.#custodyRecord({ record, opened }, path);
    else if (!this.#belongs({ record, opened }))
      this.#reasons.add("record-foreign", path, `${leaf.kind} of ${leaf.account ?? "the installation"}`);
  }

  #custodyRecord({ record, opened }: CheckedRecord, path: string): void {
    const { index, leaf } = record;
    const detail = parseCustody(opened.values.get("detail") ?? new Uint8Array());
    if (detail === null || leaf.account !== undefined)
      this.#reasons.add("custody-broken", path, "expected an entry of the chain of custody");
    else this.#custody.push({ ...detail, index, time: leaf.time });
  }

  #belongs({ record: { index, leaf }, opened }: CheckedRecord): boolean {
    if (leaf.account !== undefined && this.#pseudonyms.has(leaf.account))
      return leaf.kind !== "act" || ACTS_OF_ACCOUNTS.test(leaf.act ?? "");
    if (leaf.kind !== "act") return this.#exchanges.has(leaf.exchange ?? "");
    if (leaf.account !== undefined) return false;
    if (leaf.act === TOMBSTONE_ACT) return this.#tombstone(index, leaf.time, opened);
    if (GAPS.has(leaf.act ?? "")) return true;
    const detail = canonicalValue(opened.values.get("detail") ?? new Uint8Array());
    if (!isObject(detail)) return false;
    if (leaf.act === "content.revealed") return this.#opened.has(detail["exchange"]);
    const about = this.#completeness.query.accounts.some(({ account }) => account === detail["account"]);
    return about && ACTS_OF_ACCOUNTS.test(leaf.act ?? "");
  }

  #tombstone(index: number, time: string, opened: CheckedRecord["opened"]): boolean {
    const tombstone = parseTombstone(opened.values.get("detail") ?? new Uint8Array());
    if (tombstone === null) return false;
    this.#tombstones.set(index, { ...tombstone, index, time });
    return true;
  }

  /** After all records. `exported`: the custody entry of the export itself, which comes after the payload. */
  async finish(exported: CustodyEntry | null): Promise<void> {
    await this.#checkCustody(exported);
    this.#checkCompleteness();
    this.#checkErasures();
    await this.#checkFindings();
    const stated = await this.#files.read(PATHS.statistics);
    if (!equalBytes(stated, utf8(canonicalJson(this.#statistics.result()))))
      this.#reasons.add("statistics-differ", PATHS.statistics, "expected what the records give");
  }

  /** Content that is not shown because it was erased: the tombstone it names must be here and speak of it. */
  #checkErasures(): void {
    for (const { record, path } of this.#erased) {
      const { index, leaf, erased = 0 } = record;
      const tombstone = this.#tombstones.get(erased);
      const missing = { index, account: leaf.account ?? null, keyId: null };
      if (tombstone === undefined || !new Announced([tombstone]).covers(missing))
        this.#reasons.add(
          "erasure-not-recorded",
          path,
          `no tombstone at ${erased} speaks of record ${index}`,
        );
    }
  }

  async #checkCustody(exported: CustodyEntry | null): Promise<void> {
    const file = await this.#files.read(PATHS.custody);
    if (!equalBytes(file, utf8(formatCustody(this.#custody))))
      this.#reasons.add("custody-differs", PATHS.custody, "expected what the custody records say");
    const chain = exported === null ? this.#custody : [...this.#custody, exported];
    const problem = chainProblem(chain, this.#header.case);
    if (problem !== null) this.#reasons.add("custody-broken", PATHS.custody, problem);
    const opening = chain[0];
    if (opening !== undefined && opening.text !== openingText(this.#header))
      this.#reasons.add("header-differs", PATHS.header, "expected what the case was opened with");
  }

  #checkCompleteness(): void {
    const { counts, gaps, query, matching, leftOut } = this.#completeness;
    const wrong = Object.entries(this.#counts).find(
      ([name, count]) => counts[name as keyof RecordCounts] !== count,
    );
    const fail = (detail: string): void =>
      this.#reasons.add("completeness-differs", PATHS.completeness, detail);
    if (wrong !== undefined) fail(`counted ${wrong[1]} of ${wrong[0]}`);
    if (gaps.length !== this.#gaps.length || gaps.some((gap, at) => gap !== this.#gaps[at]))
      fail("the gaps are not those of the records");
    if (query.from > query.to) fail("the range ends before it begins");
    const missing = leftOut.reduce((sum, { records }) => sum + records, 0);
    const shown = this.#counts.open + this.#counts.close + this.#counts.interrupted;
    if (matching !== shown + missing) fail(`${matching} matched, ${shown} are shown, ${missing} left out`);
  }

  /** Each finding file is the one whose digest its custody entry recorded. */
  async #checkFindings(): Promise<void> {
    const counting = new Map(this.#custody.map((entry) => [entry.number, entry]));
    const added = [...counting.values()].filter(({ what }) => what === "finding-added");
    for (const entry of added) {
      const path = findingPath(entry.number);
      if (!this.#files.has(path)) this.#reasons.add("bundle-file-missing", path, `finding ${entry.on}`);
      else if (hex(sha256(await this.#files.read(path))) !== entry.digest)
        this.#reasons.add(
          "finding-differs",
          path,
          `finding ${entry.on} was put into the case with another text`,
        );
    }
    const numbers = new Set(added.map(({ number }) => number));
    for (const path of this.#files.paths) {
      const place = placeOf(path);
      if (place?.kind === "finding" && !numbers.has(place.number))
        this.#reasons.add("finding-differs", path, "no custody entry put this finding into the case");
    }
  }
}

/** @throws Refusal */
export async function readCompleteness(files: BundleFiles): Promise<Completeness> {
  const completeness = parseCompleteness(await files.read(PATHS.completeness));
  if (completeness === null)
    throw new Refusal("bundle-file-malformed", PATHS.completeness, "expected a completeness statement");
  return completeness;
}
