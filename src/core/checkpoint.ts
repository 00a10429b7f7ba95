// C2SP tlog-checkpoint: the signed statement of a log's size and root.
import { type NoteFault, openNote, type VerifiedSignature } from "./note.ts";
import { parseTreeHead, type TreeHead } from "./tree-head.ts";
import type { VerifierKey } from "./verifier-key.ts";

export interface Checkpoint extends TreeHead {
  /** Opaque lines after the root; we write none and accept them from others. */
  readonly extensions: readonly string[];
  /** The whole signed note as it was read. */
  readonly note: string;
  /** Whose signatures were checked, of the keys that were given. */
  readonly verified: readonly VerifiedSignature[];
}

export type CheckpointFault = NoteFault | "malformed-checkpoint" | "wrong-origin";

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
