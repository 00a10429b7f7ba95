// The bundle's own documents: the case's header and what the export says of completeness.
import type { CaseHeader } from "../../core/case-acts.ts";
import { BUNDLE_FORMAT, isCaseId } from "./layout.ts";
import { canonicalValue, hasShape, isCount, isListOf, isText } from "./shapes.ts";

/** `data/case.json`. */
export interface BundleHeader extends CaseHeader {
  readonly format: typeof BUNDLE_FORMAT;
  /** ISO 8601 UTC. */
  readonly exported: string;
  /** Name and version of what wrote the bundle. */
  readonly software: string;
  readonly origin: string;
}

const HEADER = {
  case: (value: unknown): boolean => typeof value === "string" && isCaseId(value),
  title: isText,
  purpose: isText,
  authority: isText,
  custodian: isText,
  jurisdiction: isText,
  tlp: isText,
};

export function parseHeader(bytes: Uint8Array): BundleHeader | null {
  const value = canonicalValue(bytes);
  const isFormat = (format: unknown): boolean => format === BUNDLE_FORMAT;
  const isTime = (time: unknown): boolean =>
    typeof time === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time);
  if (!hasShape(value, { ...HEADER, format: isFormat, exported: isTime, software: isText, origin: isText }))
    return null;
  return value as unknown as BundleHeader; // every member was checked
}

/** `data/completeness.json`: what was asked of the log, what it gave, and what of that is not in the bundle. */
export interface Completeness {
  readonly v: 1;
  readonly query: {
    /** Accounts of the case with the pseudonyms under which the log knows them. */
    readonly accounts: readonly { readonly account: string; readonly pseudonym: string }[];
    /** Single exchanges of other accounts. */
    readonly exchanges: readonly string[];
    /** Leaves [from, to) were looked at, all of them. */
    readonly from: number;
    readonly to: number;
    /** Exchanges opened in [since, until); null: no limit. */
    readonly since: string | null;
    readonly until: string | null;
  };
  /** Of the records in the bundle. */
  readonly counts: RecordCounts;
  /** Leaves in the range that belong to the case's exchanges, whether in the bundle or left out. */
  readonly matching: number;
  readonly leftOut: readonly { readonly what: string; readonly why: string; readonly records: number }[];
  /** Leaf indexes of the records that declare a gap (refused by the disk, or damaged) in the range. */
  readonly gaps: readonly number[];
  readonly statement: string;
}

export interface RecordCounts {
  readonly open: number;
  readonly close: number;
  readonly interrupted: number;
  readonly act: number;
  readonly fieldsOpened: number;
  readonly fieldsWithheld: number;
  readonly erased: number;
}

const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

export function parseCompleteness(bytes: Uint8Array): Completeness | null {
  const value = canonicalValue(bytes);
  const account = (one: unknown): boolean => hasShape(one, { account: isText, pseudonym: isText });
  const query = (one: unknown): boolean =>
    hasShape(one, {
      accounts: isListOf(account),
      exchanges: isListOf(isText),
      from: isCount,
      to: isCount,
      since: isTextOrNull,
      until: isTextOrNull,
    });
  const counts = (one: unknown): boolean =>
    hasShape(one, {
      open: isCount,
      close: isCount,
      interrupted: isCount,
      act: isCount,
      fieldsOpened: isCount,
      fieldsWithheld: isCount,
      erased: isCount,
    });
  const leftOut = (one: unknown): boolean => hasShape(one, { what: isText, why: isText, records: isCount });
  const shape = {
    v: (one: unknown): boolean => one === 1,
    query,
    counts,
    matching: isCount,
    leftOut: isListOf(leftOut),
    gaps: isListOf(isCount),
    statement: isText,
  };
  return hasShape(value, shape) ? (value as unknown as Completeness) : null; // every member was checked
}

/** `bag-info.txt` of a bundle: all of it follows from the rest. */
export function bagInfo(header: BundleHeader, payload: { bytes: number; files: number }): string {
  return [
    `Bag-Software-Agent: ${header.software}`,
    `Bagging-Date: ${header.exported.slice(0, 10)}`,
    `External-Identifier: ${header.case}`,
    `Payload-Oxum: ${payload.bytes}.${payload.files}`,
    "",
  ].join("\n");
}

export const BAGIT_TEXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
