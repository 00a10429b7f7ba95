// Where everything lies in a bundle: the names that export writes and that verification expects.

export const BUNDLE_FORMAT = "adyton-bundle/1";
/** Most records in a bundle: each takes two of the zip's entries. */
export const MAX_BUNDLE_RECORDS = 30_000;

const CASE_ID = /^case_[0-9a-z]{4,40}$/;

export function isCaseId(text: string): boolean {
  return CASE_ID.test(text);
}

/** The bundle's one folder. */
export function baseFolder(caseId: string): string {
  return `adyton-${caseId}`;
}

/** Paths below the base folder. Those in `data/` are payload, the others tag files. */
export const PATHS: {
  readonly bagit: "bagit.txt";
  readonly bagInfo: "bag-info.txt";
  readonly manifest: "manifest-sha256.txt";
  readonly tagManifest: "tagmanifest-sha256.txt";
  readonly header: "data/case.json";
  readonly custody: "data/custody.jsonl";
  readonly completeness: "data/completeness.json";
  readonly health: "data/health.json";
  readonly policy: "data/log/policy.txt";
  readonly firstCheckpoint: "data/log/first.checkpoint";
  readonly lastCheckpoint: "data/log/last.checkpoint";
  readonly consistency: "data/log/consistency.txt";
  readonly statistics: "data/findings/statistics.json";
  readonly exportRecord: "export/record.json";
  readonly exportProof: "export/record.tlog-proof";
  readonly exportConsistency: "export/consistency.txt";
} = {
  bagit: "bagit.txt",
  bagInfo: "bag-info.txt",
  manifest: "manifest-sha256.txt",
  tagManifest: "tagmanifest-sha256.txt",
  header: "data/case.json",
  custody: "data/custody.jsonl",
  completeness: "data/completeness.json",
  health: "data/health.json",
  policy: "data/log/policy.txt",
  firstCheckpoint: "data/log/first.checkpoint",
  lastCheckpoint: "data/log/last.checkpoint",
  consistency: "data/log/consistency.txt",
  statistics: "data/findings/statistics.json",
  exportRecord: "export/record.json",
  exportProof: "export/record.tlog-proof",
  exportConsistency: "export/consistency.txt",
};

/** Files for people and other tools. The export's own record vouches for them; nothing in them is believed. */
const FOR_READERS: ReadonlySet<string> = new Set([
  "data/README.txt",
  "data/findings/recompute.js",
  "data/findings/recompute.ts",
  "data/findings/statistics.js",
  "data/findings/statistics.ts",
  "data/graph.jsonld",
  "data/health.json",
  "data/report/certificate.html",
  "data/report/fleet.svg",
  "data/report/report.html",
  "data/report/report.pdf",
  "data/timeline.jsonl",
]);

const TEN_DIGITS = /^\d{10}$/;

/** Indexes are padded, so that names sort as the log does. */
function indexName(index: number): string {
  return String(index).padStart(10, "0");
}

export function recordPath(index: number): string {
  return `data/records/${indexName(index)}.json`;
}

export function proofPath(index: number): string {
  return `data/proofs/${indexName(index)}.tlog-proof`;
}

export function findingPath(number: number): string {
  return `data/findings/${indexName(number)}.json`;
}

/** The files of an RFC 3161 timestamp, numbered from 1. */
export interface StampPaths {
  readonly token: string;
  /** The signed note whose text was stamped. */
  readonly checkpoint: string;
  /** How the last checkpoint contains it. */
  readonly consistency: string;
  /** The authority's root certificate, DER. */
  readonly root: string;
}

export function stampPaths(number: number): StampPaths {
  const path = `data/log/timestamps/${indexName(number)}`;
  return {
    token: `${path}.tsr`,
    checkpoint: `${path}.checkpoint`,
    consistency: `${path}.txt`,
    root: `${path}.root.der`,
  };
}

export type NumberedKind = "record" | "proof" | "finding" | "timestamp" | "timestamp-part";

export type Place =
  | { readonly kind: NumberedKind; readonly number: number }
  | { readonly kind: "known" | "for-readers" };

const NUMBERED: readonly (readonly [kind: NumberedKind, start: string, end: string])[] = [
  ["record", "data/records/", ".json"],
  ["proof", "data/proofs/", ".tlog-proof"],
  ["finding", "data/findings/", ".json"],
  ["timestamp", "data/log/timestamps/", ".tsr"],
  ["timestamp-part", "data/log/timestamps/", ".checkpoint"],
  ["timestamp-part", "data/log/timestamps/", ".txt"],
  ["timestamp-part", "data/log/timestamps/", ".root.der"],
];

/** What a path in the bundle is for; null: nothing that a bundle holds. */
export function placeOf(path: string): Place | null {
  if (FOR_READERS.has(path)) return { kind: "for-readers" };
  const known: readonly string[] = Object.values(PATHS);
  if (known.includes(path)) return { kind: "known" };
  for (const [kind, start, end] of NUMBERED) {
    const digits = path.startsWith(start) && path.endsWith(end) ? path.slice(start.length, -end.length) : "";
    if (TEN_DIGITS.test(digits)) return { kind, number: Number(digits) };
  }
  return null;
}
