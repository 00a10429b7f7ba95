// The signed checkpoint on disk: reading it verified, publishing a new one, adding what others sign.
import { base64, utf8 } from "../core/bytes.ts";
import { type Checkpoint, openCheckpoint } from "../core/checkpoint.ts";
import { formatNote } from "../core/note.ts";
import { formatTreeHead, type TreeHead } from "../core/tree-head.ts";
import type { VerifierKey } from "../core/verifier-key.ts";
import { type Disk, replaceFile } from "./disk.ts";
import { LogError } from "./errors.ts";
import { type NoteSigner, signText } from "./signing.ts";

/**
 * Null when there is none yet. Throws `log.checkpoint-invalid` unless the first of `keys` signed it and no signature
 * of any given key is wrong. Others of the log's own keys may be missing: older checkpoints have one signature.
 */
export async function readCheckpoint(
  disk: Disk,
  path: string,
  keys: readonly VerifierKey[],
): Promise<Checkpoint | null> {
  const bytes = await disk.readFile(path);
  if (bytes === null) return null;
  const [first] = keys;
  const checkpoint = openCheckpoint(bytes, { keys, ...(first === undefined ? {} : { origin: first.name }) });
  const signed = !("fault" in checkpoint) && checkpoint.verified.some(({ key }) => key === first);
  if ("fault" in checkpoint || !signed) {
    const got = "fault" in checkpoint ? checkpoint.fault : "only other signatures";
    throw new LogError(
      "log.checkpoint-invalid",
      `expected ${path} to be signed by ${first?.name}, got ${got}`,
    );
  }
  return checkpoint;
}

/** Signs a tree head and puts it in place. The log's own signatures come first, Ed25519 before all others. */
export async function publishCheckpoint(
  disk: Disk,
  path: string,
  head: TreeHead,
  options: { signers: readonly NoteSigner[]; nowMs: number },
): Promise<void> {
  const text = formatTreeHead(head);
  const signatures = await signText(text, options.signers, Math.floor(options.nowMs / 1000));
  await replaceFile(disk, path, utf8(formatNote(text, signatures)));
}

/** Throws `log.inconsistent` unless both heads agree on what they both cover. */
export function requireSameRoot(size: number, expected: Uint8Array, got: Uint8Array): void {
  if (Buffer.compare(expected, got) !== 0)
    throw new LogError(
      "log.inconsistent",
      `expected root ${base64(expected)} at size ${size}, got ${base64(got)}`,
    );
}
