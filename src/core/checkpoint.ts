// C2SP tlog-checkpoint: the signed statement of a log's size and root.
import { type NoteFault, openNote, type VerifiedSignature } from "./note.ts";
import { type Policy, satisfiesQuorum } from "./policy.ts";
import { parseTreeHead, type TreeHead } from "./tree-head.ts";
import { sameKey, type VerifierKey } from "./verifier-key.ts";

export interface Checkpoint extends TreeHead {
  /** Opaque lines after the root; we write none and accept them from others. */
  readonly extensions: readonly string[];
  /** The whole signed note as it was read. */
  readonly note: string;
  /** Whose signatures were checked, of the keys that were given. */
  readonly verified: readonly VerifiedSignature[];
}

export type CheckpointFault = NoteFault | "malformed-checkpoint" | "wrong-origin" | "below-quorum";

/** Verifies the signatures and parses. `origin`: what the first line must be; without it any origin is accepted. */
export function openCheckpoint(
  bytes: Uint8Array,
  options: { keys: readonly VerifierKey[]; origin?: string },
): Checkpoint | { fault: CheckpointFault } {
  const note = openNote(bytes, options.keys);
  if ("fault" in note) return note;
  const head = parseTreeHead(note.text);
  if (head === null) return { fault: "malformed-checkpoint" };
  if (options.origin !== undefined && head.origin !== options.origin) return { fault: "wrong-origin" };
  return { ...head, note: new TextDecoder().decode(bytes), verified: note.verified };
}

/**
 * Opens a checkpoint by a policy: a log of the policy, named like the origin, must have signed it, and the witnesses that
 * cosigned it must satisfy the quorum. `witnesses`: their names in the policy, also where the quorum asks for none.
 */
export function openCheckpointByPolicy(
  bytes: Uint8Array,
  policy: Policy,
): (Checkpoint & { witnesses: readonly string[] }) | { fault: CheckpointFault } {
  const keys = [...policy.logs, ...policy.witnesses].map(({ key }) => key);
  const checkpoint = openCheckpoint(bytes, { keys });
  if ("fault" in checkpoint) return checkpoint;
  const signed = (key: VerifierKey): boolean =>
    checkpoint.verified.some((signature) => sameKey(signature.key, key));
  if (!policy.logs.some(({ key }) => signed(key))) return { fault: "no-trusted-signature" };
  if (!policy.logs.some(({ key }) => signed(key) && key.name === checkpoint.origin))
    return { fault: "wrong-origin" };
  const witnesses = policy.witnesses.filter(({ key }) => signed(key)).map(({ name }) => name);
  if (!satisfiesQuorum(policy, new Set(witnesses))) return { fault: "below-quorum" };
  return { ...checkpoint, witnesses };
}
