// Destroys records in content packs in place: lengths stay, so that every other record keeps its place and its proof.
import { Buffer } from "node:buffer";
import type { Leaf } from "../core/leaf.ts";
import { erasedHeader, PACK_HEADER_BYTES, packedBytes } from "./content-pack.ts";
import { type Disk, readFully } from "./disk.ts";

const ZEROES: Buffer = Buffer.alloc(1024 * 1024);

/** A record in its pack. */
export interface PackPlace {
  readonly leaf: Leaf;
  readonly offset: number;
}

/**
 * Overwrites nonce and ciphertext of these records with zeroes and syncs, twice: first the secrets, then the mark that
 * says so. A crash in between leaves records that no longer fit their leaves, which the tombstone explains. What is
 * erased already is left alone. Returns the bytes of ciphertext destroyed.
 */
export async function scrubPack(disk: Disk, path: string, places: readonly PackPlace[]): Promise<number> {
  const file = await disk.open(path, "r+");
  try {
    let destroyed = 0;
    const headers: { offset: number; header: Buffer }[] = [];
    for (const { leaf, offset } of places) {
      const bytes = packedBytes(leaf) - PACK_HEADER_BYTES;
      if (bytes < 0) continue;
      const header = Buffer.alloc(PACK_HEADER_BYTES);
      await readFully(disk, file, header, offset);
      const erased = erasedHeader(header, bytes);
      if (header.equals(erased)) continue; // by a run that was cut short
      headers.push({ offset, header: erased });
      wipe(disk, file, offset + 36, PACK_HEADER_BYTES - 36 + bytes);
      destroyed += bytes;
    }
    if (headers.length === 0) return 0;
    await disk.datasync(file);
    for (const { offset, header } of headers) disk.write(file, [header], offset);
    await disk.datasync(file);
    return destroyed;
  } finally {
    await disk.close(file);
  }
}

function wipe(disk: Disk, file: number, offset: number, bytes: number): void {
  for (let done = 0; done < bytes; done += ZEROES.length)
    disk.write(file, [ZEROES.subarray(0, Math.min(ZEROES.length, bytes - done))], offset + done);
}
