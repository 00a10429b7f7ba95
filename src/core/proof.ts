// C2SP tlog-proof: one record's inclusion as a text file that verifies offline.
import { base64, base64Bytes, parseDecimal, utf8 } from "./bytes.ts";
import {
  type Checkpoint,
  type CheckpointFault,
  openCheckpoint,
  openCheckpointByPolicy,
} from "./checkpoint.ts";
import { HASH_BYTES, leafHash } from "./merkle.ts";
import { MAX_PROOF_HASHES, verifyInclusion } from "./merkle-verify.ts";
import type { Policy } from "./policy.ts";
import type { VerifierKey } from "./verifier-key.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
/** A proof longer than this is refused: an entry of 64 KiB, 64 hashes and a note. */
export const MAX_PROOF_CHARACTERS: number = 1024 * 1024;

export interface LogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
  /** Adyton puts the leaf's bytes here. Not authenticated by itself: it counts only once its hash proves included. */
  readonly extra: Uint8Array | null;
}

export type ProofFault = CheckpointFault | "malformed-proof" | "no-leaf" | "not-included";

export function formatProof(proof: LogProof): string {
  const extra = proof.extra === null ? "" : `extra ${base64(proof.extra)}\n`;
  const hashes = proof.hashes.map((hash) => `${base64(hash)}\n`).join("");
  return `${HEADER}\n${extra}index ${proof.index}\n${hashes}\n${proof.checkpoint}`;
}

/** Parses without verifying; null when malformed. */
export function parseProof(text: string): LogProof | null {
  if (text.length > MAX_PROOF_CHARACTERS) return null;
  const split = text.indexOf("\n\n");
  if (split < 0) return null;
  const lines = text.slice(0, split).split("\n");
  if (lines.shift() !== HEADER) return null;
  let extra: Uint8Array | null = null;
  if (lines[0]?.startsWith("extra ")) {
    extra = base64Bytes(lines.shift()?.slice("extra ".length) ?? "");
    if (extra === null) return null;
  }
  const indexLine = lines.shift();
  if (!indexLine?.startsWith("index ")) return null;
  const index = parseDecimal(indexLine.slice("index ".length));
  if (index === null || lines.length > MAX_PROOF_HASHES) return null;
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = base64Bytes(line);
    if (hash?.length !== HASH_BYTES) return null;
    hashes.push(hash);
  }
  return { index, hashes, checkpoint: text.slice(split + 2), extra };
}

/** Whom a verifier trusts: the keys of one log, or a policy of logs and witnesses. */
export type ProofTrust =
  | { readonly keys: readonly VerifierKey[]; readonly origin?: string }
  | { readonly policy: Policy };

export interface VerifiedProof {
  readonly index: number;
  readonly leaf: Uint8Array;
  readonly checkpoint: Checkpoint;
  /** Names of the policy's witnesses that cosigned; empty without a policy. */
  readonly witnesses: readonly string[];
}

/**
 * Verifies a proof against trusted keys. `leaf`: the entry's bytes; without it the proof's own `extra` is taken, which
 * the inclusion then authenticates. Returns the entry with the checkpoint that holds it.
 */
export function verifyProof(
  text: string,
  options: ProofTrust & { leaf?: Uint8Array },
): VerifiedProof | { fault: ProofFault } {
  const proof = parseProof(text);
  if (proof === null) return { fault: "malformed-proof" };
  const leaf = options.leaf ?? proof.extra;
  if (leaf === null) return { fault: "no-leaf" };
  const bytes = utf8(proof.checkpoint);
  const checkpoint =
    "policy" in options
      ? openCheckpointByPolicy(bytes, options.policy)
      : { witnesses: [], ...openCheckpoint(bytes, options) };
  if ("fault" in checkpoint) return checkpoint;
  const { witnesses, ...opened } = checkpoint;
  const claim = { index: proof.index, size: opened.size, leaf: leafHash(leaf), root: opened.root };
  if (!verifyInclusion(claim, proof.hashes)) return { fault: "not-included" };
  return { index: proof.index, leaf, checkpoint: opened, witnesses };
}
