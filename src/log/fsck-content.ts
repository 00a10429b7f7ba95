// The part of fsck that reads content packs: every ciphertext against its digest, every field against its commitment.
import type { Leaf } from "../core/leaf.ts";
import { TILE_WIDTH } from "../core/tiles.ts";
import { packedBytes, packPath, readPackRecord } from "./content-pack.ts";
import { type Disk, readFully } from "./disk.ts";
import type { Complain, FsckProblem } from "./fsck-report.ts";
import type { Keyring } from "./keyring.ts";
import { digestFits, openRecord } from "./record-reader.ts";

/** Pack bytes read at once, unless one record is larger. */
const READ_BYTES: number = 4 * 1024 * 1024;

interface ContentCheckOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly keys: Keyring | null;
  readonly complain: Complain;
}

export class ContentCheck {
  readonly #options: ContentCheckOptions;
  readonly counts: { digests: number; commitments: number; erased: number } = {
    digests: 0,
    commitments: 0,
    erased: 0,
  };

  constructor(options: ContentCheckOptions) {
    this.#options = options;
  }

  /** Checks the pack of a bundle. A leaf that could not be read hides where the next record begins: the rest is skipped. */
  async bundle(bundle: number, leaves: readonly (Leaf | null)[]): Promise<void> {
    const { disk, complain } = this.#options;
    if (!leaves.some((leaf) => leaf?.bytes !== undefined)) return;
    const file = packPath(this.#options.folder, bundle);
    if ((await disk.size(file)) === null) {
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
          const buffer = Buffer.allocUnsafeSlow(Math.max(bytes, READ_BYTES));
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
    const { complain, keys } = this.#options;
    const fault = (code: FsckProblem["code"], message: string): void => complain({ code, ...where, message });
    const record = readPackRecord(pack, at, leaf.bytes);
    if (record === null) {
      fault("pack", "expected the record's header, got other bytes");
      return;
    }
    this.counts.digests += 1;
    if (!digestFits(record, leaf)) {
      fault("digest", "the ciphertext does not have the digest of its leaf");
      return;
    }
    if (keys === null) return;
    const opened = openRecord(record, leaf, keys, { verify: true, digestChecked: true });
    if (opened.state === "erased") this.counts.erased += 1;
    else if (opened.state === "open") this.counts.commitments += 1;
    else fault(opened.fault, "the record does not open to what its leaf commits to");
  }
}
