// Checks every record of a bundle: its place in the log, its leaf, its fields, and that it belongs to the case.
import { equalBytes, utf8Text } from "../../core/bytes.ts";
import type { Checkpoint } from "../../core/checkpoint.ts";
import { leafHash } from "../../core/merkle.ts";
import { verifyInclusion } from "../../core/merkle-verify.ts";
import { parseProof } from "../../core/proof.ts";
import type { BundleFiles } from "./bundle-files.ts";
import {
  type DisclosedRecord,
  leafBytes,
  type OpenedFields,
  openFields,
  parseRecord,
} from "./disclosed-record.ts";
import { placeOf } from "./layout.ts";
import type { Reasons } from "./verdict.ts";

/** Where a record's two files lie, and which checkpoint they are proved in. */
export interface RecordPlace {
  readonly record: string;
  readonly proof: string;
  /** Index that the file names say; null: they say none. */
  readonly index: number | null;
}

/** A record of which everything was checked. */
export interface CheckedRecord {
  readonly record: DisclosedRecord;
  readonly opened: OpenedFields;
}

/** Checks one record with its proof; null where something is wrong, which `reasons` then names. */
export async function checkRecord(
  files: BundleFiles,
  place: RecordPlace,
  checkpoint: Checkpoint,
  reasons: Reasons,
): Promise<CheckedRecord | null> {
  const record = parseRecord(await files.read(place.record));
  if (record === null) {
    reasons.add("bundle-file-malformed", place.record, "expected a record as Adyton writes it");
    return null;
  }
  if (place.index !== null && record.index !== place.index) {
    reasons.add("record-misplaced", place.record, `the record says index ${record.index}`);
    return null;
  }
  if (!(await checkProof(files, { place, record }, checkpoint, reasons))) return null;
  const opened = openFields(record);
  if (typeof opened === "string") {
    reasons.add(opened, place.record, `record ${record.index}, ${record.leaf.kind}`);
    return null;
  }
  return { record, opened };
}

async function checkProof(
  files: BundleFiles,
  { place, record }: { place: RecordPlace; record: DisclosedRecord },
  checkpoint: Checkpoint,
  reasons: Reasons,
): Promise<boolean> {
  const text = utf8Text(await files.read(place.proof));
  const proof = text === null ? null : parseProof(text);
  const fail = (code: Parameters<Reasons["add"]>[0], detail: string): boolean => {
    reasons.add(code, place.proof, detail);
    return false;
  };
  if (proof === null) return fail("proof-malformed", "expected a C2SP tlog-proof");
  if (proof.index !== record.index) return fail("record-misplaced", `the proof says index ${proof.index}`);
  if (proof.checkpoint !== checkpoint.note)
    return fail("proof-other-checkpoint", "expected the bundle's own checkpoint");
  const leaf = leafBytes(record);
  if (proof.extra === null || !equalBytes(proof.extra, leaf))
    return fail("proof-other-leaf", "expected the record's leaf");
  const claim = { index: proof.index, size: checkpoint.size, leaf: leafHash(leaf), root: checkpoint.root };
  return verifyInclusion(claim, proof.hashes) || fail("not-included", `index ${proof.index}`);
}

/** The records of `data/records/` in the order of the log, each with its proof; those without a partner are named. */
export function recordPlaces(files: BundleFiles, reasons: Reasons): RecordPlace[] {
  const proofs = new Map<number, string>();
  const records = new Map<number, string>();
  for (const path of files.paths) {
    const place = placeOf(path);
    if (place?.kind === "record") records.set(place.number, path);
    if (place?.kind === "proof") proofs.set(place.number, path);
  }
  for (const [index, path] of proofs)
    if (!records.has(index)) reasons.add("record-unpaired", path, "a proof without its record");
  const places: RecordPlace[] = [];
  for (const [index, record] of records) {
    const proof = proofs.get(index);
    if (proof === undefined) reasons.add("record-unpaired", record, "a record without its proof");
    else places.push({ record, proof, index });
  }
  return places;
}
