// C2SP tlog-checkpoint: the signed statement of a log's size and root.
import { base64, base64Bytes, parseDecimal } from "./bytes.ts";
import { HASH_BYTES } from "./merkle.ts";
import { type NoteFault, openNote, type VerifierKey } from "./note.ts";

export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface Checkpoint extends TreeHead {
  /** Opaque lines after the root; we write none and accept them from others. */
  readonly extensions: readonly string[];
  /** The whole signed note as it was read. */
  readonly note: string;
}

export type CheckpointFault = NoteFault | "malformed-checkpoint" | "wrong-origin";

/** The text to sign: origin, size, root, each with its newline. */
export function formatTreeHead(head: TreeHead): string {
  return `${head.origin}\n${head.size}\n${base64(head.root)}\n`;
}

/** Parses the text of a checkpoint (no signatures), or null. */
export function parseTreeHead(text: string): (TreeHead & { extensions: readonly string[] }) | null {
  if (!text.endsWith("\n")) return null;
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split("\n");
  if (!origin || sizeText === undefined || rootText === undefined) return null;
  const size = parseDecimal(sizeText);
  const root = base64Bytes(rootText);
  if (size === null || root?.length !== HASH_BYTES || extensions.includes("")) return null;
  return { origin, size, root, extensions };
}

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
  return { ...head, note: new TextDecoder().decode(bytes) };
}
