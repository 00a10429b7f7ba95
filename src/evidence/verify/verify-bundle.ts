// Verifies a bundle offline: everything it claims is recomputed from its own bytes and the reader's trust policy.
import { hex, utf8 } from "../../core/bytes.ts";
import type { Checkpoint } from "../../core/checkpoint.ts";
import { type Policy, policyName } from "../../core/policy.ts";
import { parseProof } from "../../core/proof.ts";
import { sha256 } from "../../core/sha256.ts";
import { webTimestampCrypto } from "../../core/timestamp/crypto.ts";
import { describeKey } from "../../core/verifier-key.ts";
import { BundleFiles, checkFiles } from "./bundle-files.ts";
import type { ByteSource } from "./byte-source.ts";
import { CaseCheck, readCompleteness } from "./check-case.ts";
import { type CheckedRecord, checkRecord, recordPlaces } from "./check-records.ts";
import { checkTimestamps } from "./check-timestamps.ts";
import { CASE_ACT, type CustodyEntry, parseCustody } from "./custody.ts";
import type { BundleHeader } from "./documents.ts";
import { PATHS, placeOf } from "./layout.ts";
import { checkGrowth, openUnder, readLogEvidence, readPolicy } from "./log-evidence.ts";
import { type Proved, Reasons, Refusal, type Verdict } from "./verdict.ts";

export interface VerifyOptions {
  /** A C2SP tlog-policy that the reader got on another way than the bundle; null: the bundle's own is used. */
  readonly policy: Uint8Array | null;
  /** Root certificates of timestamping authorities, DER, likewise; absent: those in the bundle, on its own word. */
  readonly timestampRoots?: readonly Uint8Array[] | undefined;
  /** Called now and then with records checked and records in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Verifies a bundle. Never throws on what a bundle holds; rejects only when `source` can't be read. Memory is bounded by
 * the largest file of the bundle.
 */
export async function verifyBundle(source: ByteSource, options: VerifyOptions): Promise<Verdict> {
  const reasons = new Reasons();
  let proved: Proved | null = null;
  try {
    proved = await check(source, options, reasons);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, path, detail } = error.reason;
    reasons.add(code, path, detail);
  }
  const rejected = reasons.count > 0;
  const verdict = rejected ? "rejected" : options.policy === null ? "consistent" : "verified";
  return { verdict, reasons: reasons.kept, reasonCount: reasons.count, proved: rejected ? null : proved };
}

async function check(source: ByteSource, options: VerifyOptions, reasons: Reasons): Promise<Proved> {
  const files = await BundleFiles.open(source);
  const header = await checkFiles(files, reasons);
  const policy = await readPolicy(files, options.policy);
  const { last } = await readLogEvidence(files, policy, reasons);
  if (last.origin !== header.origin)
    reasons.add("header-differs", PATHS.header, `the checkpoints are of ${last.origin}`);
  const trust = {
    roots: options.timestampRoots ?? null,
    crypto: webTimestampCrypto(globalThis.crypto.subtle),
  };
  const timestamps = await checkTimestamps(files, { policy, last }, trust, reasons);
  const exported = await checkExport(files, { header, policy, last }, reasons);
  const completeness = await readCompleteness(files);
  const caseCheck = new CaseCheck(files, header, completeness, reasons);
  const places = recordPlaces(files, reasons);
  for (const [done, place] of places.entries()) {
    const checked = await checkRecord(files, place, last, reasons);
    if (checked !== null) caseCheck.add(checked, place.record);
    options.onProgress?.(done + 1, places.length);
  }
  await caseCheck.finish(exported?.entry ?? null);
  const { counts } = caseCheck;
  return {
    case: header.case,
    title: header.title,
    exported: header.exported,
    origin: last.origin,
    keys: exported?.checkpoint.verified.map(({ key }) => describeKey(key)) ?? [],
    witnesses: exported?.witnesses.map(policyName) ?? [],
    logSize: exported?.checkpoint.size ?? last.size,
    records: places.length,
    exchanges: counts.open,
    fieldsOpened: counts.fieldsOpened,
    fieldsWithheld: counts.fieldsWithheld,
    recordsErased: counts.erased,
    custodyEntries: caseCheck.custodyEntries + 1,
    findings: files.paths.filter((path) => placeOf(path)?.kind === "finding").length,
    timestamps,
  };
}

interface ExportEvidence {
  readonly entry: CustodyEntry;
  readonly checkpoint: Checkpoint;
  readonly witnesses: readonly string[];
}

/**
 * The export is itself a record in the log, made after the payload, and it names the manifest's digest: so the log's keys
 * vouch for every file. Its checkpoint is the newest, and the one of which the policy's quorum is asked.
 */
async function checkExport(
  files: BundleFiles,
  { header, policy, last }: { header: BundleHeader; policy: Policy; last: Checkpoint },
  reasons: Reasons,
): Promise<ExportEvidence | null> {
  const proof = parseProof(new TextDecoder().decode(await files.read(PATHS.exportProof)));
  if (proof === null) throw new Refusal("proof-malformed", PATHS.exportProof, "expected a C2SP tlog-proof");
  const checkpoint = openUnder(policy, utf8(proof.checkpoint), { path: PATHS.exportProof, quorum: true });
  await checkGrowth(files, { from: last, to: checkpoint, path: PATHS.exportConsistency }, reasons);
  const place = { record: PATHS.exportRecord, proof: PATHS.exportProof, index: null };
  const checked = await checkRecord(files, place, checkpoint, reasons);
  const entry = checked === null ? null : exportEntry(checked);
  if (entry === null) {
    reasons.add("export-not-recorded", PATHS.exportRecord, "expected the custody entry of the export");
    return null;
  }
  const digest = hex(sha256(await files.read(PATHS.manifest)));
  if (entry.digest !== digest || entry.case !== header.case)
    reasons.add("manifest-not-recorded", PATHS.manifest, "the log recorded another manifest for this export");
  return { entry, checkpoint, witnesses: checkpoint.witnesses };
}

function exportEntry({ record, opened }: CheckedRecord): CustodyEntry | null {
  const { leaf, index } = record;
  const detail = parseCustody(opened.values.get("detail") ?? new Uint8Array());
  if (leaf.act !== CASE_ACT || leaf.account !== undefined || detail?.what !== "exported") return null;
  return { ...detail, index, time: leaf.time };
}
