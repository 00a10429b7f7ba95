// What an installation says of itself in each bundle it exports: whom to trust, its key, and the timestamps it keeps.
import type { Config } from "../config/schema.ts";
import { formatPolicy } from "../core/policy.ts";
import { formatVerifierKey } from "../core/verifier-key.ts";
import { NODE_DISK } from "../log/disk.ts";
import type { Keyring } from "../log/keyring.ts";
import { timestampAuthorities } from "../log/timestamp-client.ts";
import { TimestampFiles } from "../log/timestamp-files.ts";
import type { ExportOptions, KeptStamp } from "./export-options.ts";

interface Installation {
  readonly config: Pick<Config, "console" | "log">;
  readonly folder: { readonly timestamps: string };
  readonly keys: Pick<Keyring, "origin" | "verifierKeys">;
}

export type ExportFacts = Pick<ExportOptions, "policy" | "key" | "stamps" | "witnessed">;

/** @throws LogError where a timestamp that is kept does not verify */
export async function exportFacts({ config, folder, keys }: Installation): Promise<ExportFacts> {
  const [key] = keys.verifierKeys(config.log.origin ?? keys.origin);
  return {
    policy: policyOf(config, keys),
    key: key === undefined ? "" : formatVerifierKey(key),
    stamps: await stampsOf(config, folder.timestamps),
    witnessed: config.log.witnessQuorum > 0,
  };
}

function policyOf({ console, log }: Installation["config"], keys: Installation["keys"]): string {
  const base = console.publicUrl?.replace(/\/$/, "");
  return formatPolicy({
    logs: keys
      .verifierKeys(log.origin ?? keys.origin)
      .map((key) => ({ vkey: formatVerifierKey(key), url: base === undefined ? null : `${base}/log` })),
    witnesses: log.witnesses,
    quorum: log.witnessQuorum,
  });
}

/** What the log keeps of authorities' timestamps, each verified, with the root that it was verified with. */
async function stampsOf({ log }: Installation["config"], folder: string): Promise<KeptStamp[]> {
  const authorities = await timestampAuthorities(log.timestamps.authorities);
  const files = new TimestampFiles(NODE_DISK, folder);
  const stamps: KeptStamp[] = [];
  for (const name of await files.list()) {
    if (name.size === null) continue;
    const { verified } = await files.check(name, authorities);
    const root = verified.chain.at(-1);
    const [note, token] = [await files.read(name.about), await files.read(name.file)];
    if (root !== undefined)
      stamps.push({ size: name.size, note: new TextDecoder().decode(note), token, root });
  }
  return stamps;
}
