// Destroys the copies of sealed records that are left in write-ahead segments, once they are of no use any more.
import { join } from "node:path";
import type { DataFolder } from "../config/data-folder.ts";
import type { Disk } from "./disk.ts";
import { FolderLock } from "./folder-lock.ts";
import { giveUpRequest } from "./give-up.ts";
import { readLedgerState } from "./ledger-state.ts";
import { forgetSegment, WRITER_NAME } from "./segment.ts";
import { readTail } from "./writer-tail.ts";

/**
 * Destroys the segments of every writer that is not at work and whose frames are all sealed; those at work are asked to
 * do it themselves. Returns the names of those that have not yet. `onlyAsked`: asks nobody again, and leaves alone who has
 * done it.
 */
export async function dropSealedSegments(
  disk: Disk,
  folder: DataFolder,
  writeAheadKey: Buffer,
  options: { readonly onlyAsked: boolean } = { onlyAsked: false },
): Promise<string[]> {
  const left: string[] = [];
  for (const writer of await disk.list(folder.segments)) {
    if (!WRITER_NAME.test(writer)) continue;
    const own = join(folder.segments, writer);
    const request = giveUpRequest(own);
    if (options.onlyAsked && (await disk.size(request)) === null) continue;
    const lock = FolderLock.acquire(join(folder.segments, writer, "lock.sqlite"), 0);
    try {
      if (lock !== null && (await isSealed(disk, folder, { writer, writeAheadKey })))
        await dropAll(disk, own);
      else {
        if (!options.onlyAsked) await disk.close(await disk.open(request, "w+"));
        left.push(writer);
      }
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
    await forgetSegment(disk, join(folder, name));
  }
  await disk.remove(giveUpRequest(folder));
  await disk.syncFolder(folder);
}
