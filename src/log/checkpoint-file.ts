// The signed checkpoint on disk: reading it verified, publishing a new one, adding what witnesses sign.
import { base64, utf8 } from "../core/bytes.ts";
import { type Checkpoint, openCheckpoint } from "../core/checkpoint.ts";
import { formatNote, type Note, parseNote } from "../core/note.ts";
import { formatTreeHead, type TreeHead } from "../core/tree-head.ts";
import { ED25519_NOTE, type VerifierKey } from "../core/verifier-key.ts";
import { type Disk, replaceFile } from "./disk.ts";
import { LogError } from "./errors.ts";
import { type NoteSigner, signText } from "./signing.ts";

/**
 * Null when there is none yet. `keys`: the log's own, Ed25519 first, then whoever else is known. Throws
 * `log.checkpoint-invalid` unless an Ed25519 key of the log signed it (the first, or one that signed before it) and no
 * signature of any of them is wrong. Others may be
 * missing: older checkpoints have one signature, and witnesses may not have answered yet.
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
  const signed =
    !("fault" in checkpoint) &&
    checkpoint.verified.some(({ key }) => key.type === ED25519_NOTE && key.name === first?.name);
  if ("fault" in checkpoint || !signed) {
    const got = "fault" in checkpoint ? checkpoint.fault : "only other signatures";
    throw new LogError(
      "log.checkpoint-invalid",
      `expected ${path} to be signed by ${first?.name}, got ${got}`,
    );
  }
  return checkpoint;
}

/** Both files of a log's head. Owned by the ledger: nobody else writes them. */
export interface CheckpointPaths {
  /** The newest checkpoint, with the cosignatures that came for it. */
  readonly checkpoint: string;
  /** The newest checkpoint that reached the quorum of witnesses. */
  readonly cosignedCheckpoint: string;
}

/**
 * Publishes checkpoints. One change at a time, in the order of the calls: sealing and witnesses both want to write the
 * same file, and a cosignature that comes late must not bring an old checkpoint back.
 */
export class CheckpointFile {
  readonly #disk: Disk;
  readonly #paths: CheckpointPaths;
  #last: Promise<unknown> = Promise.resolve();

  constructor(disk: Disk, paths: CheckpointPaths) {
    this.#disk = disk;
    this.#paths = paths;
  }

  /** Signs a tree head and puts it in place. The log's own signatures come first, Ed25519 before all others. */
  async publish(head: TreeHead, options: { signers: readonly NoteSigner[]; nowMs: number }): Promise<void> {
    const text = formatTreeHead(head);
    const signatures = await signText(text, options.signers, Math.floor(options.nowMs / 1000));
    await this.#inTurn(() =>
      replaceFile(this.#disk, this.#paths.checkpoint, utf8(formatNote(text, signatures))),
    );
  }

  /**
   * Publishes a checkpoint again with its cosignatures: as the newest one if it still is, and as the newest with a quorum
   * if it reached that. `note`: verified by the caller.
   */
  async addCosignatures(note: string, options: { quorum: boolean }): Promise<void> {
    const cosigned = parseNote(utf8(note));
    if ("fault" in cosigned)
      throw new LogError("log.checkpoint-invalid", `expected a cosigned checkpoint, got ${cosigned.fault}`);
    await this.#inTurn(async () => {
      const bytes = await this.#disk.readFile(this.#paths.checkpoint);
      const newest = bytes === null ? null : parseNote(bytes);
      if (newest !== null && !("fault" in newest) && newest.text === cosigned.text)
        await replaceFile(this.#disk, this.#paths.checkpoint, utf8(merged(newest, cosigned)));
      if (options.quorum) await replaceFile(this.#disk, this.#paths.cosignedCheckpoint, utf8(note));
    });
  }

  /** A change that failed does not stop the next one: its caller was told. */
  async #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => {});
    await turn;
  }
}

function merged(first: Note, second: Note): string {
  const added = second.signatures.filter(
    ({ name, id }) => !first.signatures.some((known) => known.name === name && known.id === id),
  );
  return formatNote(first.text, [...first.signatures, ...added]);
}

/** Throws `log.inconsistent` unless both heads agree on what they both cover. */
export function requireSameRoot(size: number, expected: Uint8Array, got: Uint8Array): void {
  if (Buffer.compare(expected, got) !== 0)
    throw new LogError(
      "log.inconsistent",
      `expected root ${base64(expected)} at size ${size}, got ${base64(got)}`,
    );
}
