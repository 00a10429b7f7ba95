// What verification says in the end: one word, the reasons, and what was and was not looked at.
import type { BagFault } from "./bag-text.ts";
import type { ZipFault } from "./zip.ts";

/** Why a bundle is refused, besides what is wrong with its zip or its bag. Each means that something was changed or left out. */
export const BUNDLE_FAULTS = {
  "bundle-name": "The files do not lie in the one folder that is named after the case.",
  "bundle-file-missing": "A file that every bundle has is not there.",
  "bundle-file-unexpected": "A file is there that no bundle has.",
  "bundle-file-malformed": "A file does not have the form that Adyton writes, to the byte.",
  "bag-not-canonical": "A tag file of the bag is not what this bundle's own contents give.",
  "policy-malformed": "The trust policy can't be read.",
  "checkpoint-refused": "A checkpoint is not signed as the trust policy asks.",
  "checkpoint-inconsistent":
    "Two checkpoints are not of one growing log: the log was rewritten between them.",
  "record-misplaced": "A record, its proof and their file names do not agree on its place in the log.",
  "record-unpaired": "A record has no proof, or a proof has no record.",
  "proof-malformed": "A proof can't be read.",
  "proof-other-checkpoint": "A proof speaks of another checkpoint than the bundle's.",
  "proof-other-leaf": "A proof is about another leaf than the record's.",
  "not-included": "A record is not in the log that the checkpoint signs.",
  "field-not-committed": "What a record says is not what the log committed to when it was written.",
  "field-missing": "A record shows fewer or other fields than its leaf commits to, without saying why.",
  "erasure-not-recorded": "Content is said to be erased, but no tombstone in the bundle speaks of it.",
  "record-foreign": "A record belongs neither to the case's accounts and exchanges nor to the case itself.",
  "custody-broken": "The chain of custody has a hole, a repetition, or an entry of another case.",
  "custody-differs": "The custody file is not what the custody records say.",
  "header-differs": "The case's title, purpose or authority are not those that it was opened with.",
  "completeness-differs": "The completeness statement does not describe the records in the bundle.",
  "finding-differs": "A finding is not the one that was put into the case.",
  "statistics-differ": "The statistics are not what the bundle's records give.",
  "export-not-recorded": "The bundle does not prove that its export was recorded in the log.",
  "manifest-not-recorded":
    "The manifest is not the one that the log recorded at the export: a file was changed afterwards.",
  "timestamp-refused": "A timestamp is not a valid token over a checkpoint of the bundle.",
} as const;

export type BundleFault = ZipFault | BagFault | keyof typeof BUNDLE_FAULTS;

export interface Reason {
  readonly code: BundleFault;
  /** File in the bundle, or null where it is about the whole. */
  readonly path: string | null;
  /** For people. May hold text from the bundle: show it as text only. */
  readonly detail: string;
}

/** Reasons kept; a broken bundle of thousands of records has thousands. */
export const MAX_REASONS = 100;

/**
 * `verified`: everything holds, under a policy that the reader brought. `consistent`: everything holds, but whose log it
 * is rests on the bundle's own word. `rejected`: something does not hold.
 */
export type VerdictWord = "verified" | "consistent" | "rejected";

/** What the bundle proves, in figures. */
export interface Proved {
  readonly case: string;
  readonly title: string;
  readonly exported: string;
  readonly origin: string;
  /** Keys of the log that signed, as name and id. */
  readonly keys: readonly string[];
  /** Witnesses of the policy that cosigned the newest checkpoint. */
  readonly witnesses: readonly string[];
  /** Records in the log when the bundle was exported. */
  readonly logSize: number;
  readonly records: number;
  readonly exchanges: number;
  readonly fieldsOpened: number;
  readonly fieldsWithheld: number;
  readonly recordsErased: number;
  readonly custodyEntries: number;
  readonly findings: number;
  /** What timestamping authorities say: time, number of records then, and who. */
  readonly timestamps: readonly string[];
}

export interface Verdict {
  readonly verdict: VerdictWord;
  readonly reasons: readonly Reason[];
  /** How many there are; more than `reasons` holds where they were cut. */
  readonly reasonCount: number;
  /** Null where the bundle could not be read far enough. */
  readonly proved: Proved | null;
}

/** Thrown inside verification where going on makes no sense; `verifyBundle` catches it. */
export class Refusal extends Error {
  readonly reason: Reason;

  constructor(code: BundleFault, path: string | null, detail: string) {
    super(detail);
    this.reason = { code, path, detail };
  }
}

/** Gathers reasons, the first hundred in full. */
export class Reasons {
  readonly #kept: Reason[] = [];
  #count = 0;

  add(code: BundleFault, path: string | null, detail: string): void {
    this.#count += 1;
    if (this.#kept.length < MAX_REASONS) this.#kept.push({ code, path, detail: detail.slice(0, 400) });
  }

  get count(): number {
    return this.#count;
  }

  get kept(): readonly Reason[] {
    return this.#kept;
  }
}
