// The chain of custody: entries of a case, each an act in the log, numbered without holes.
import { canonicalJson } from "../../core/canonical-json.ts";
import { canonicalValue, hasShape, isCount, isText } from "./shapes.ts";

/** Name of the act by which a case's entries are recorded. */
export const CASE_ACT = "case.entry";

/** The detail of a `case.entry` act: who, what, on what, with what tool, under which authority, with what result. */
export interface CustodyDetail {
  readonly case: string;
  /** Counts from 1 within the case. */
  readonly number: number;
  readonly by: string;
  readonly what: string;
  readonly on: string;
  readonly tool: string;
  readonly authority: string;
  readonly result: string;
  /** A note, hypothesis or decision in its author's words. */
  readonly text?: string;
  /** SHA-256 of what the entry is about, hexadecimal. */
  readonly digest?: string;
}

/** An entry with its place in the log: a line of `custody.jsonl`. */
export interface CustodyEntry extends CustodyDetail {
  readonly index: number;
  /** When it was recorded, ISO 8601. */
  readonly time: string;
}

const DETAIL = {
  case: isText,
  number: isCount,
  by: isText,
  what: isText,
  on: isText,
  tool: isText,
  authority: isText,
  result: isText,
};

/** The detail of a case act, or null. */
export function parseCustody(detail: Uint8Array): CustodyDetail | null {
  const value = canonicalValue(detail);
  if (!hasShape(value, DETAIL, { text: isText, digest: isText })) return null;
  return value as unknown as CustodyDetail; // every member was checked
}

/** `custody.jsonl`: one line an entry, in the order of their numbers. */
export function formatCustody(entries: readonly CustodyEntry[]): string {
  return entries.map((entry) => `${canonicalJson(entry)}\n`).join("");
}

/**
 * What is wrong with a chain, or null: numbers 1, 2, 3 … in the order of the log, the first one opening the case. A number
 * may come twice: an entry is recorded before it counts, and a crash in between leaves a record whose change was not
 * made; the last one with a number is the one that counts.
 */
export function chainProblem(entries: readonly CustodyEntry[], caseId: string): string | null {
  let number = 0;
  let index = -1;
  for (const entry of entries) {
    if (entry.case !== caseId) return `record ${entry.index} is an entry of another case`;
    const isNext = entry.number === number + 1 || (number > 0 && entry.number === number);
    if (!isNext) return `expected entry ${number + 1}, got ${entry.number}`;
    if (entry.index <= index) return `entry ${entry.number} stands before its predecessor in the log`;
    number = entry.number;
    index = entry.index;
  }
  return entries[0]?.what === "opened" ? null : "the first entry does not open the case";
}
