// The part of fsck that reads timestamps: each must verify, and its checkpoint be one of this log's own.
import { join } from "node:path";
import type { VerifierKey } from "../core/verifier-key.ts";
import { readCheckpoint } from "./checkpoint-file.ts";
import type { Disk } from "./disk.ts";
import { LogError } from "./errors.ts";
import type { Complain } from "./fsck-report.ts";
import type { EarlierHead } from "./fsck-tree.ts";
import type { TimestampAuthority } from "./timestamp-client.ts";
import { TimestampFiles } from "./timestamp-files.ts";

interface TimestampCheckOptions {
  readonly disk: Disk;
  /** DataFolder.timestamps. */
  readonly folder: string;
  /** The log's own keys; empty: signatures are not checked. */
  readonly keys: readonly VerifierKey[];
  readonly authorities: readonly TimestampAuthority[];
  readonly complain: Complain;
}

/** Checks every stamp of a known authority. Returns how many verified, and the heads that they vouch for. */
export async function checkTimestamps(
  options: TimestampCheckOptions,
): Promise<{ stamps: number; heads: EarlierHead[] }> {
  const { disk, folder, keys, authorities, complain } = options;
  const files = new TimestampFiles(disk, folder);
  const heads = new Map<number, EarlierHead>();
  let stamps = 0;
  for (const name of await files.list()) {
    if (!authorities.some((authority) => authority.name === name.authority)) continue;
    const file = join(folder, name.file);
    try {
      const { head, verified } = await files.check(name, authorities);
      if (head !== null && keys.length > 0) await readCheckpoint(disk, join(folder, name.about), keys);
      stamps += 1;
      if (head === null) continue;
      const vouched = `${name.authority} put on ${new Date(verified.timeMs).toISOString()}`;
      heads.set(head.size, { file, size: head.size, root: head.root, vouched });
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      const code = error.code === "log.checkpoint-invalid" ? "signature" : "timestamp";
      complain({ code, file, offset: null, index: null, message: error.message });
    }
  }
  return { stamps, heads: [...heads.values()] };
}
