// The log in a bundle: its checkpoints opened under a policy, and shown to be of one growing log.
import { base64Bytes, utf8Text } from "../../core/bytes.ts";
import { type Checkpoint, openCheckpointByPolicy } from "../../core/checkpoint.ts";
import { verifyConsistency } from "../../core/merkle-verify.ts";
import { type Policy, parsePolicy } from "../../core/policy.ts";
import type { BundleFiles } from "./bundle-files.ts";
import { PATHS } from "./layout.ts";
import { type Reasons, Refusal } from "./verdict.ts";

/** Longest consistency file: 64 hashes. */
const MAX_CONSISTENCY_CHARACTERS = 64 * 45;

export interface LogEvidence {
  /** When the case was opened; null: the log had no checkpoint then. */
  readonly first: Checkpoint | null;
  /** Which the records are proved in. */
  readonly last: Checkpoint;
}

/** The policy that the reader brought, else the bundle's own. @throws Refusal */
export async function readPolicy(files: BundleFiles, given: Uint8Array | null): Promise<Policy> {
  const bundled = await files.read(PATHS.policy);
  const policy = parsePolicy(given ?? bundled);
  if ("fault" in policy) {
    const path = given === null ? PATHS.policy : null;
    throw new Refusal("policy-malformed", path, `${policy.fault} at line ${policy.line}`);
  }
  return policy;
}

/**
 * Opens a checkpoint that a log of the policy signed. `quorum`: whether the policy's quorum of witnesses is asked for: of
 * the newest checkpoint, with which the earlier ones are shown consistent. @throws Refusal
 */
export function openUnder(
  policy: Policy,
  note: Uint8Array,
  { path, quorum }: { path: string; quorum: boolean },
): Checkpoint & { witnesses: readonly string[] } {
  const opened = openCheckpointByPolicy(note, quorum ? policy : { ...policy, quorum: null });
  if ("fault" in opened) throw new Refusal("checkpoint-refused", path, opened.fault);
  return opened;
}

/** Hashes one a line in base64, each line ended; null: anything else. */
export function parseHashes(bytes: Uint8Array): Uint8Array[] | null {
  const text = utf8Text(bytes);
  if (text === null || text.length > MAX_CONSISTENCY_CHARACTERS || (text !== "" && !text.endsWith("\n")))
    return null;
  const hashes = text
    .split("\n")
    .slice(0, -1)
    .map((line) => base64Bytes(line));
  return hashes.every((hash) => hash?.length === 32) ? hashes.filter((hash) => hash !== null) : null;
}

/** Does the later checkpoint's log begin with the earlier one's? @throws Refusal on a malformed proof */
export async function checkGrowth(
  files: BundleFiles,
  { from, to, path }: { from: Checkpoint; to: Checkpoint; path: string },
  reasons: Reasons,
): Promise<void> {
  const proof = parseHashes(await files.read(path));
  if (proof === null)
    throw new Refusal("bundle-file-malformed", path, "expected hashes in base64, one a line");
  const claim = { first: from.size, second: to.size, firstRoot: from.root, secondRoot: to.root };
  if (from.origin !== to.origin || !verifyConsistency(claim, proof))
    reasons.add(
      "checkpoint-inconsistent",
      path,
      `the log of ${from.size} records is not the beginning of that of ${to.size}`,
    );
}

/** First and last checkpoint, signatures and consistency checked. @throws Refusal */
export async function readLogEvidence(
  files: BundleFiles,
  policy: Policy,
  reasons: Reasons,
): Promise<LogEvidence> {
  const lastNote = await files.read(PATHS.lastCheckpoint);
  const last = openUnder(policy, lastNote, { path: PATHS.lastCheckpoint, quorum: false });
  if (files.has(PATHS.firstCheckpoint) !== files.has(PATHS.consistency))
    throw new Refusal(
      "bundle-file-missing",
      PATHS.consistency,
      "expected both first checkpoint and its proof",
    );
  if (!files.has(PATHS.firstCheckpoint)) return { first: null, last };
  const note = await files.read(PATHS.firstCheckpoint);
  const first = openUnder(policy, note, { path: PATHS.firstCheckpoint, quorum: false });
  await checkGrowth(files, { from: first, to: last, path: PATHS.consistency }, reasons);
  return { first, last };
}
