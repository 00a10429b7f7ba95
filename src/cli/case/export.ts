// What `adyton case export` does: puts log, keys, state and policy together around the export.
import { resolve } from "node:path";
import { toolName } from "../../config/version.ts";
import { exportCase } from "../../evidence/export-case.ts";
import { exportFacts } from "../../evidence/export-facts.ts";
import { LogError } from "../../log/errors.ts";
import { Keyring } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { witnessEndpoints } from "../../log/witness-client.ts";
import { systemUser } from "../act.ts";
import type { Context } from "../context.ts";
import { momentMs } from "../duration.ts";
import { CliError } from "../errors.ts";
import { withChanges } from "../with-state.ts";
import { demandApproval } from "./approvals.ts";
import type { ExportCommandOptions } from "./options.ts";

const FIELDS: readonly string[] = ["request", "response", "headers", "network", "figures"];

/** @throws EvidenceError, StateError, LogError, CliError `usage` */
export async function runExport(context: Context, id: string, options: ExportCommandOptions): Promise<void> {
  const withheld = withheldOf(options.withhold);
  const moment = (text: string | undefined): number | null =>
    text === undefined ? null : momentMs(text, Date.now());
  const [sinceMs, untilMs] = [moment(options.since), moment(options.until)];
  const { output } = context;
  const progress = new Map<string, ReturnType<typeof output.progress>>();
  const result = await withChanges(context, async ({ state, record }) => {
    const asked = { action: "export", subject: id, reason: options.reason ?? `export of ${id}` } as const;
    const approval = await demandApproval(context, asked, { state, record });
    return await withSealing(context, async ({ log, keys, seal }) =>
      exportCase({
        ...{ state, record, log, seal, withheld, sinceMs, untilMs },
        caseId: id,
        out: resolve(options.out),
        by: systemUser(),
        tool: toolName(),
        authority: authorityOf(options.authority, approval),
        pseudonymOf: (account) => keys.pseudonymOf(account),
        ...(await exportFacts({ ...context, keys })),
        recipients: options.recipient,
        recordsOnly: options.recordsOnly === true,
        clock: () => performance.now(),
        now: Date.now,
        onProgress: (what, done, total) => {
          const bar = progress.get(what) ?? output.progress(what, total);
          progress.set(what, bar);
          bar.update(done);
        },
      }),
    );
  }).finally(() => {
    for (const bar of progress.values()) bar.end();
  });
  output.result(result, () => {
    output.line(
      `${result.out}: ${result.records} records of ${result.exchanges} exchanges, ${result.bytes} bytes`,
    );
    output.line(`manifest ${result.manifest}, recorded in the log at ${result.index}`);
  });
}

function authorityOf(given: string | undefined, approval: string | null): string | undefined {
  if (approval === null) return given;
  return given === undefined ? `second person's agreement ${approval}` : `${given}; agreement ${approval}`;
}

/** `field=reason` pairs. @throws CliError `usage` */
function withheldOf(pairs: readonly string[]): ReadonlyMap<string, string> {
  const withheld = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const [field, reason] = [pair.slice(0, at), pair.slice(at + 1).trim()];
    if (at < 0 || !FIELDS.includes(field) || reason === "")
      throw new CliError(
        "usage",
        `expected --withhold field=reason with one of ${FIELDS.join(", ")}, got ${pair}`,
      );
    withheld.set(field, reason);
  }
  return withheld;
}

interface SealingParts {
  readonly log: SealedLog;
  readonly keys: Keyring;
  readonly seal: () => Promise<void>;
}

/** The sealed log; where no server seals what is written, this command does. */
async function withSealing<T>(
  { folder, config }: Context,
  use: (parts: SealingParts) => Promise<T>,
): Promise<T> {
  const keys = await Keyring.open({ folder: folder.root });
  let ledger: Ledger | null = null;
  let log: SealedLog | null = null;
  try {
    ledger = await openLedger(folder.root, keys, config.log.origin);
    const mine = ledger;
    log = await SealedLog.open({
      folder: folder.root,
      keys,
      origin: config.log.origin,
      witnesses: witnessEndpoints(config.log.witnesses).flatMap((witness) => witness.keys),
    });
    const seal = async (): Promise<void> => {
      while ((await mine?.step())?.more === true);
    };
    return await use({ log, keys, seal });
  } finally {
    log?.close();
    ledger?.close();
    keys.close();
  }
}

async function openLedger(folder: string, keys: Keyring, origin: string | null): Promise<Ledger | null> {
  try {
    return await Ledger.open({ folder, keys, origin });
  } catch (error) {
    if (error instanceof LogError && error.code === "log.locked") return null;
    throw error;
  }
}
