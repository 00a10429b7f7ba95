// What `adyton erase` does: plans, destroys, lets the other parts forget, and says what is left for people to do.
import { setTimeout as sleep } from "node:timers/promises";
import { DataFolder } from "../../config/data-folder.ts";
import { NODE_DISK } from "../../log/disk.ts";
import { type Erased, Eraser, type ErasurePlan, type ErasureTarget } from "../../log/eraser.ts";
import { ErasureJournal } from "../../log/erasure-journal.ts";
import { Keyring } from "../../log/keyring.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { dropSealedSegments } from "../../log/segment-drop.ts";
import { openActLog } from "../act.ts";
import { demandApproval } from "../case/approvals.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { withKeys } from "../log/run.ts";
import { withChanges, withState } from "../with-state.ts";

/** As commander reads them. */
export interface EraseOptions {
  readonly account?: string;
  readonly exchange?: string;
  readonly legalBasis?: string;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
}

/** How long the command waits for writers at work. */
const GIVE_UP_TIMEOUT_MS = 15_000;
const GIVE_UP_POLL_MS = 250;

/** Does what the options say. @throws CliError `usage`; LogError `log.held`, `log.not-found`, `log.exchange-open` */
export async function runErase(context: Context, options: EraseOptions): Promise<void> {
  if (options.resume === true) {
    await report(context, await withEraser(context, (eraser) => complete(context, eraser, null)));
    return;
  }
  const target = targetOf(options);
  const { legalBasis = "" } = options;
  if (legalBasis.trim() === "" && options.dryRun !== true)
    throw new CliError(
      "usage",
      "expected --legal-basis: it is kept in the log, and is the answer to who asks",
    );
  if (options.dryRun === true) {
    const plan = await withEraser(context, (eraser) => eraser.plan(target, legalBasis));
    showPlan(context, plan);
    return;
  }
  const subject = options.account ?? options.exchange ?? "";
  const asked = { action: "erase", subject, reason: legalBasis } as const;
  if (context.config.evidence.twoPersonFor.includes("erase"))
    await withChanges(context, (changes) => demandApproval(context, asked, changes));
  const erased = await withEraser(context, async (eraser) =>
    complete(context, eraser, await eraser.plan(target, legalBasis)),
  );
  await report(context, erased);
}

function targetOf({ account, exchange }: EraseOptions): ErasureTarget {
  if (account !== undefined) return { account };
  if (exchange !== undefined) return { exchange };
  throw new CliError("usage", "expected --account, --exchange or --resume");
}

async function withEraser<T>(
  { folder, config, output }: Context,
  use: (eraser: Eraser) => Promise<T>,
): Promise<T> {
  const acts = await openActLog(await DataFolder.create(folder.root));
  const { origin } = config.log;
  const keys = await Keyring.open({ folder: folder.root });
  const log = await SealedLog.open({ folder: folder.root, keys, origin });
  const journal = await ErasureJournal.open(folder.erasures);
  const progress = output.progress("Looking", await log.size());
  try {
    const { record } = acts;
    const onProgress = (leaves: number): void => progress.update(leaves);
    return await use(new Eraser({ folder: folder.root, keys, origin, log, journal, record, onProgress }));
  } finally {
    progress.end();
    journal.close();
    log.close();
    keys.close();
    await acts.close();
  }
}

/** What was begun before comes first; then the plan. Each is finished only when the state has forgotten it too. */
async function complete(context: Context, eraser: Eraser, plan: ErasurePlan | null): Promise<Erased[]> {
  const all = await eraser.resume();
  if (plan !== null) all.push(await eraser.erase(plan));
  for (const { erasure, account, name } of all) {
    if (account !== null && name !== null)
      await withState(context, ({ state }) => state.eraseAccount({ name, pseudonym: account }));
    eraser.finish(erasure);
  }
  return all;
}

async function report(context: Context, erased: readonly Erased[]): Promise<void> {
  const { output } = context;
  const live = erased.length === 0 ? [] : await withKeys(context, (keys) => dropSegments(context, keys));
  const shown = erased.map(({ name: _name, liveWriters: _live, ...rest }) => rest);
  output.result({ erased: shown, writersAtWork: live }, () => {
    if (erased.length === 0) output.line("Nothing was left to complete.");
    for (const { account, keys, records, bytes, tombstone } of shown) {
      const what = account === null ? "the exchange" : `account ${account}`;
      output.line(`Erased ${what}: ${records} records, ${bytes} bytes of ciphertext, ${keys} keys.`);
      output.line(`Record ${tombstone} of the log says so; every other proof stays valid.`);
    }
  });
  if (erased.length === 0) return;
  if (live.length > 0)
    output.note(
      `${live.join(", ")} at work: each gives up its old segments by itself, once the ledger has sealed them.`,
    );
  output.note("Backups of keys/ and content/ from before are yours to destroy; the log can't reach them.");
}

/** Waits until every writer has given its old segments up, this command's own among them, or it takes too long. */
async function dropSegments({ folder }: Context, { writeAheadKey }: Keyring): Promise<string[]> {
  const deadline = performance.now() + GIVE_UP_TIMEOUT_MS;
  for (;;) {
    const left = await dropSealedSegments(NODE_DISK, folder, writeAheadKey, { onlyAsked: true });
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(GIVE_UP_POLL_MS);
  }
}

function showPlan({ output }: Context, plan: ErasurePlan): void {
  const { account, exchange, keys, count, bytes, holds } = plan;
  output.result({ account, exchange, keys: keys.length, records: count, bytes, holds }, () => {
    output.pairs([
      ["would erase", account === null ? (exchange ?? "") : `account ${account}`],
      ["records", count],
      ["ciphertext", `${bytes} bytes`],
      ["account keys", keys.length],
      ["legal holds", holds.length === 0 ? "none" : holds.map(({ hold }) => hold).join(", ")],
    ]);
    if (holds.length > 0) output.line("The holds refuse it until they are released or expire.");
  });
}
