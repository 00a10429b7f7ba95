// Destroys the copies of sealed records that are left in write-ahead segments, once they are of no use any more.
import { Buffer } from "node:buffer";
import { join } from "node:path";
import type { DataFolder } from "../config/data-folder.ts";
import type { Disk } from "./disk.ts";
import { FolderLock } from "./folder-lock.ts";
import { readLedgerState } from "./ledger-state.ts";
import { WRITER_NAME } from "./segment.ts";
import { readTail } from "./writer-tail.ts";

const ZEROES: Buffer = Buffer.alloc(1024 * 1024);

/**
 * Overwrites and removes the segments of every writer that is not at work and whose frames are all sealed. Returns the
 * names of those that are at work, or whose frames are not sealed yet.
 */
export async function dropSealedSegments(
  disk: Disk,
  folder: DataFolder,
  writeAheadKey: Buffer,
): Promise<string[]> {
  const left: string[] = [];
  for (const writer of await disk.list(folder.segments)) {
    if (!WRITER_NAME.test(writer)) continue;
    const lock = FolderLock.acquire(join(folder.segments, writer, "lock.sqlite"), 0);
    try {
      if (lock === null || !(await isSealed(disk, folder, { writer, writeAheadKey }))) left.push(writer);
      else await dropAll(disk, join(folder.segments, writer));
    } finally {
      lock?.release();
    }
  }
  return left;
}

async function isSealed(
  disk: Disk,
  folder: DataFolder,
  { writer, writeAheadKey }: { writer: string; writeAheadKey: Buffer },
): Promise<boolean> {
  const state = await readLedgerState(disk, folder.ledgerState);
  const position = state?.writers[writer];
  const tail = await readTail(disk, folder.segments, writer, { position, writeAheadKey, limitBytes: 1 });
  return tail.events.length === 0 && !tail.more;
}

/** The next start of this writer goes on behind the position that the ledger knows. */
async function dropAll(disk: Disk, folder: string): Promise<void> {
  for (const name of await disk.list(folder)) {
    if (!name.endsWith(".seg")) continue;
    await shred(disk, join(folder, name));
  }
  await disk.syncFolder(folder);
}

/** Overwrites a file with zeroes and removes it. Copies that the file system or the disk keep are beyond reach. */
export async function shred(disk: Disk, path: string): Promise<void> {
  const bytes = (await disk.size(path)) ?? 0;
  const file = await disk.open(path, "r+");
  try {
    for (let at = 0; at < bytes; at += ZEROES.length)
      disk.write(file, [ZEROES.subarray(0, Math.min(ZEROES.length, bytes - at))], at);
    await disk.datasync(file);
  } finally {
    await disk.close(file);
  }
  await disk.remove(path);
}
