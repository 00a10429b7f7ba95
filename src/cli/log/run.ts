// What the subcommands of `adyton log` do.
import { base64, parseDecimal } from "../../core/bytes.ts";
import type { Leaf } from "../../core/leaf.ts";
import { formatVerifierKey } from "../../core/verifier-key.ts";
import { NODE_DISK } from "../../log/disk.ts";
import { LogError } from "../../log/errors.ts";
import { fsck } from "../../log/fsck.ts";
import { Keyring } from "../../log/keyring.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { timestampAuthorities } from "../../log/timestamp-client.ts";
import { TimestampFiles } from "../../log/timestamp-files.ts";
import { isCosignedBy, witnessEndpoints } from "../../log/witness-client.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../errors.ts";

/** Opens the installation's keys, makes them on first use, and closes them. */
export async function withKeys<T>({ folder }: Context, use: (keys: Keyring) => Promise<T>): Promise<T> {
  const keys = await Keyring.open({ folder: folder.root });
  try {
    return await use(keys);
  } finally {
    keys.close();
  }
}

async function withLog<T>(context: Context, use: (log: SealedLog, keys: Keyring) => Promise<T>): Promise<T> {
  return await withKeys(context, async (keys) => {
    const log = await SealedLog.open({
      folder: context.folder.root,
      keys,
      origin: context.config.log.origin,
      witnesses: witnessEndpoints(context.config.log.witnesses).flatMap((witness) => witness.keys),
    });
    try {
      return await use(log, keys);
    } finally {
      log.close();
    }
  });
}

/** Checks everything that the newest checkpoint covers. */
export async function fsckLog(
  context: Context,
  options: { content: boolean; resume?: boolean },
): Promise<void> {
  const { output, folder } = context;
  await withKeys(context, async (keys) => {
    const startedMs = performance.now();
    let progress: ReturnType<typeof output.progress> | null = null;
    const report = await fsck({
      folder: folder.root,
      keys,
      origin: context.config.log.origin,
      witnesses: witnessEndpoints(context.config.log.witnesses).flatMap((witness) => witness.keys),
      authorities: await timestampAuthorities(context.config.log.timestamps.authorities),
      content: options.content,
      resume: options.resume === true,
      onProgress: (leaves, size) => {
        progress ??= output.progress("Checking", size);
        progress.update(leaves);
      },
    });
    (progress as ReturnType<typeof output.progress> | null)?.end();
    const seconds = (performance.now() - startedMs) / 1000;
    output.result({ ...report, seconds }, () => {
      const { checked } = report;
      output.line(`${report.ok ? "clean" : "DAMAGED"}: ${report.size} records, root ${report.root}`);
      output.line(
        `${checked.tiles} tiles, ${checked.timestamps} timestamps, ${checked.digests} digests, ${checked.commitments} records' commitments, ` +
          `${checked.erased} erased, ${report.open} exchanges open, ${seconds.toFixed(1)} s`,
      );
      for (const gap of report.gaps)
        output.line(
          `gap: ${gap.act} at ${gap.index}: ${gap.count} records of ${gap.writer} from ${gap.from}`,
        );
      for (const { code, file, offset, index, message } of report.problems)
        output.line(
          `${code}: ${file}${offset === null ? "" : `:${offset}`}${index === null ? "" : ` (record ${index})`}: ${message}`,
        );
      if (report.problemCount > report.problems.length)
        output.line(`… and ${report.problemCount - report.problems.length} more`);
    });
    if (!report.ok) process.exitCode = EXIT.checkFailed;
  });
}

/** Leaf indexes that a person means: an index, or an exchange's open and close. */
async function indexesOf(log: SealedLog, record: string): Promise<{ open?: number; close?: number }> {
  const index = parseDecimal(record);
  if (index !== null && index < (await log.size())) return { open: index };
  const found = await log.findExchange(record);
  if (found.open === undefined && found.close === undefined)
    throw new LogError("log.not-found", `expected an index or a sealed exchange, got ${record}`);
  return found;
}

/** The checkpoint with its key, or the leaves of a record. */
export async function showLog(context: Context, record: string | undefined): Promise<void> {
  const { output } = context;
  await withLog(context, async (log, keys) => {
    if (record === undefined) {
      const checkpoint = await log.checkpoint();
      const { origin, size, root, note } = checkpoint;
      const vkeys = keys.verifierKeys(origin).map(formatVerifierKey);
      const { witnesses, witnessQuorum: quorum } = context.config.log;
      const cosigned = witnessEndpoints(witnesses)
        .filter((witness) => isCosignedBy(checkpoint, witness))
        .map(({ name }) => name);
      const witnessed = { quorum, cosigned, quorumSize: (await log.cosigned())?.size ?? 0 };
      const stamps = await stampsOf(context);
      const head = { origin, size, root: base64(root), key: vkeys[0], keys: vkeys, note };
      const shown = { ...head, witnessed, timestamps: stamps };
      output.result(shown, () => {
        output.pairs([
          ["origin", origin],
          ["records", size],
          ["root", base64(root)],
          ["key", vkeys[0] ?? ""],
        ]);
        if (witnesses.length > 0) showWitnesses(output, witnessed);
        const last = stamps.at(-1);
        if (last !== undefined)
          output.pairs([
            ["timestamps", `${stamps.length}, the last on ${last.size} records at ${last.time}`],
          ]);
      });
      return;
    }
    const { open, close } = await indexesOf(log, record);
    const leaves: { index: number; leaf: Leaf }[] = [];
    for (const index of [open, close]) {
      if (index === undefined || leaves.some((shown) => shown.index === index)) continue;
      leaves.push({ index, leaf: (await log.leaf(index)).leaf });
    }
    output.result({ leaves }, () => {
      for (const { index, leaf } of leaves) {
        output.line(`record ${index}`);
        for (const [name, value] of Object.entries(leaf))
          output.line(
            `  ${name.padEnd(12)} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
          );
      }
    });
  });
}

/** What authorities said of the time, verified. Throws `log.timestamp-invalid` for a stamp that is none. */
async function stampsOf({
  folder,
  config,
}: Context): Promise<{ authority: string; size: number; time: string; by: string }[]> {
  const authorities = await timestampAuthorities(config.log.timestamps.authorities);
  const files = new TimestampFiles(NODE_DISK, folder.timestamps);
  const stamps: { authority: string; size: number; time: string; by: string }[] = [];
  for (const name of await files.list()) {
    if (name.size === null || !authorities.some((one) => one.name === name.authority)) continue;
    const { verified } = await files.check(name, authorities);
    const time = new Date(verified.timeMs).toISOString();
    stamps.push({ authority: name.authority, size: name.size, time, by: verified.authority });
  }
  return stamps;
}

/** Says plainly when the newest checkpoint lacks what the configuration asks for. */
function showWitnesses(
  output: Context["output"],
  { quorum, cosigned, quorumSize }: { quorum: number; cosigned: readonly string[]; quorumSize: number },
): void {
  const names = cosigned.length === 0 ? "nobody" : cosigned.join(", ");
  const verdict = cosigned.length >= quorum ? "" : `: BELOW the quorum of ${quorum}`;
  output.pairs([
    ["cosigned by", `${names}${verdict}`],
    ["with quorum", `${quorumSize} records`],
  ]);
}

/** Prints the proof itself: with --json as a member of an object. */
export async function proveRecord(
  context: Context,
  record: string,
  options: { open: boolean },
): Promise<void> {
  const { output } = context;
  await withLog(context, async (log) => {
    const { open, close } = await indexesOf(log, record);
    const index = options.open ? open : (close ?? open);
    if (index === undefined)
      throw new LogError("log.not-found", `expected an opening record of ${record}, got none`);
    const proof = await log.prove(index);
    output.result({ index, proof }, () => {
      for (const line of proof.split("\n").slice(0, -1)) output.line(line);
    });
  });
}
