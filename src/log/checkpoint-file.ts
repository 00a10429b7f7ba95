// The signed checkpoint on disk: reading it verified, and publishing a new one.
import { base64, utf8 } from "../core/bytes.ts";
import { type Checkpoint, formatTreeHead, openCheckpoint, type TreeHead } from "../core/checkpoint.ts";
import { formatNote, type VerifierKey } from "../core/note.ts";
import { type Disk, replaceFile } from "./disk.ts";
import { LogError } from "./errors.ts";
import type { Keyring } from "./keyring.ts";

/** Null when there is none yet. Throws `log.checkpoint-invalid` when `key` did not sign it. */
export async function readCheckpoint(disk: Disk, path: string, key: VerifierKey): Promise<Checkpoint | null> {
  const bytes = await disk.readFile(path);
  if (bytes === null) return null;
  const checkpoint = openCheckpoint(bytes, { keys: [key], origin: key.name });
  if ("fault" in checkpoint)
    throw new LogError(
      "log.checkpoint-invalid",
      `expected ${path} to be signed by ${key.name}, got ${checkpoint.fault}`,
    );
  return checkpoint;
}

/**
 * Signs a tree head and puts it in place. The note may carry more signatures (a post-quantum one, witnesses'); the
 * Ed25519 one of the log comes first.
 */
export async function publishCheckpoint(
  disk: Disk,
  path: string,
  head: TreeHead,
  keys: Keyring,
): Promise<void> {
  const text = formatTreeHead(head);
  const { name, id } = keys.verifierKey(head.origin);
  const signature = await keys.signer.sign(utf8(text));
  await replaceFile(disk, path, Buffer.from(formatNote(text, [{ name, id, signature }])));
}

/** Throws `log.inconsistent` unless both heads agree on what they both cover. */
export function requireSameRoot(size: number, expected: Uint8Array, got: Uint8Array): void {
  if (Buffer.compare(expected, got) !== 0)
    throw new LogError(
      "log.inconsistent",
      `expected root ${base64(expected)} at size ${size}, got ${base64(got)}`,
    );
}
