// The part of fsck that reads content packs: every ciphertext against its digest, every field against its commitment.
import { Buffer } from "node:buffer";
import type { Leaf } from "../core/leaf.ts";
import { FIELDS } from "../core/record.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import { TOMBSTONE_ACT } from "../core/tombstone.ts";
import { type PackRecord, packedBytes, packPath, readPackRecord } from "./content-pack.ts";
import { type Disk, readFully } from "./disk.ts";
import type { FrameKind } from "./frame.ts";
import { MissingContent } from "./fsck-erasure.ts";
import type { Complain, FsckProblem } from "./fsck-report.ts";
import type { ContentState } from "./fsck-resume.ts";
import type { Keyring } from "./keyring.ts";
import { type CheckJob, JobBuilder } from "./record-job.ts";
import { digestFits, openRecord } from "./record-reader.ts";
import { writeRecordKey } from "./sealing.ts";

/** Pack bytes read at once, unless one record is larger. */
const READ_BYTES: number = 4 * 1024 * 1024;
/** Packs that are checked elsewhere must fit in memory several times over; larger ones are read piece by piece. */
const MAX_JOB_BYTES: number = READ_BYTES;

type Fault = Pick<FsckProblem, "code" | "message">;

const NO_HEADER: Fault = { code: "pack", message: "expected the record's header, got other bytes" };

interface ContentCheckOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly keys: Keyring | null;
  readonly complain: Complain;
  /** Where an interrupted check stood. */
  readonly from?: ContentState | null;
}

export class ContentCheck {
  readonly #options: ContentCheckOptions;
  readonly counts: { digests: number; commitments: number; erased: number } = {
    digests: 0,
    commitments: 0,
    erased: 0,
  };

  readonly #missing: MissingContent;

  constructor(options: ContentCheckOptions) {
    this.#options = options;
    const { from = null } = options;
    this.counts.digests = from?.digests ?? 0;
    this.counts.commitments = from?.commitments ?? 0;
    this.#missing = new MissingContent(options.complain, from);
  }

  save(): ContentState {
    const { digests, commitments } = this.counts;
    return { digests, commitments, ...this.#missing.save() };
  }

  /** After the last bundle: what is missing must have been announced, which only the installation's key can tell. */
  finish(): void {
    this.counts.erased = this.#missing.settle({ believe: this.#options.keys === null });
  }

  /**
   * The pack of a bundle as a job that any thread can do; null: each of its records must be looked at here. What is found
   * to be good is to be told to `credit`, anything else given to `bundle`.
   */
  async jobOf(bundle: number, leaves: readonly (Leaf | null)[]): Promise<CheckJob | null> {
    const { disk, folder, keys } = this.#options;
    const bytes = plainPackBytes(leaves);
    if (keys === null || bytes === null || bytes > MAX_JOB_BYTES) return null;
    const path = packPath(folder, bundle);
    if (((await disk.size(path)) ?? 0) < bytes) return null;
    const pack = Buffer.allocUnsafe(bytes);
    const file = await disk.open(path, "r");
    try {
      return (await readFully(disk, file, pack, 0)) < bytes ? null : jobOf(pack, leaves, keys);
    } finally {
      await disk.close(file);
    }
  }

  /** Counts the records of a pack that were found good elsewhere. */
  credit(records: number): void {
    this.counts.digests += records;
    this.counts.commitments += records;
  }

  /** Checks the pack of a bundle. A leaf that could not be read hides where the next record begins: the rest is skipped. */
  async bundle(bundle: number, leaves: readonly (Leaf | null)[]): Promise<void> {
    const { disk, complain } = this.#options;
    if (!leaves.some((leaf) => leaf?.bytes !== undefined)) return;
    const file = packPath(this.#options.folder, bundle);
    const size = await disk.size(file);
    if (size === null) {
      complain({
        code: "pack",
        file,
        offset: null,
        index: bundle * TILE_WIDTH,
        message: "expected a content pack, got no file",
      });
      return;
    }
    const pack = await disk.open(file, "r");
    try {
      let at = 0;
      let ahead = Buffer.alloc(0);
      let aheadAt = 0;
      for (const [i, leaf] of leaves.entries()) {
        if (leaf === null) return;
        const bytes = packedBytes(leaf);
        if (at + bytes > aheadAt + ahead.length) {
          const buffer = Buffer.allocUnsafe(Math.max(bytes, Math.min(READ_BYTES, size - at)));
          ahead = buffer.subarray(0, await readFully(disk, pack, buffer, at));
          aheadAt = at;
        }
        this.#record(leaf, ahead, at - aheadAt, { file, offset: at, index: bundle * TILE_WIDTH + i });
        at += bytes;
      }
    } finally {
      await disk.close(pack);
    }
  }

  #record(
    leaf: Leaf,
    pack: Buffer,
    at: number,
    where: { file: string; offset: number; index: number },
  ): void {
    if (leaf.bytes === undefined) return;
    const record = readPackRecord(pack, at, leaf.bytes);
    const keyId = record?.keyId.toString("base64url") ?? null;
    const missing = { index: where.index, account: leaf.account ?? null, keyId };
    const fault = record === null ? NO_HEADER : this.#check(leaf, record, where.index);
    if (fault === "erased") this.#missing.erased(missing, where);
    else if (fault !== null) this.#missing.damaged(missing, { ...fault, ...where });
  }

  #check(leaf: Leaf, record: PackRecord, index: number): Fault | "erased" | null {
    const { keys } = this.#options;
    if (record.erased) return "erased";
    this.counts.digests += 1;
    if (!digestFits(record, leaf))
      return { code: "digest", message: "the ciphertext does not have the digest of its leaf" };
    if (keys === null) return null;
    const opened = openRecord(record, leaf, keys, { verify: true, digestChecked: true });
    if (opened.state === "erased") return "erased";
    if (opened.state === "damaged")
      return { code: opened.fault, message: "the record does not open to what its leaf commits to" };
    this.counts.commitments += 1;
    this.#missing.opened(leaf, index, opened.unsealed.content);
    return null;
  }
}

/** Length of a pack; null when a leaf can't be read or its content means something for the check: a tombstone. */
function plainPackBytes(leaves: readonly (Leaf | null)[]): number | null {
  let bytes = 0;
  for (const leaf of leaves) {
    if (leaf === null || leaf.act === TOMBSTONE_ACT) return null;
    bytes += packedBytes(leaf);
  }
  return bytes === 0 ? null : bytes;
}

/** All records of a pack as a job; null when one of them is erased, damaged, or its key is not here. */
function jobOf(pack: Buffer, leaves: readonly (Leaf | null)[], keys: Keyring): CheckJob | null {
  const builder = new JobBuilder(leaves.length, pack.length);
  const kinds: FrameKind[] = [];
  const expected: string[] = [];
  let at = 0;
  for (const leaf of leaves) {
    if (leaf?.bytes === undefined || leaf.kind === "interrupted") continue;
    const record = readPackRecord(pack, at, leaf.bytes);
    if (record === null || record.erased) return null;
    const accountKey = keys.forReading(record.pseudonym, record.keyId);
    if (typeof accountKey === "string") return null;
    writeRecordKey(builder.keys, builder.keyAt, { accountKey, nonce: record.nonce });
    builder.add(record.sealed);
    kinds.push(leaf.kind);
    expected.push(leaf.digest ?? "");
    for (const field of FIELDS[leaf.kind]) expected.push(leaf.commit?.[field] ?? "");
    at += packedBytes(leaf);
  }
  return { type: "check", ...builder.take(), kinds, expected };
}
