// `adyton log monitor`: looks at another log again and again, and says plainly when it contradicts itself.
import { setTimeout as sleep } from "node:timers/promises";
import { DataFolder } from "../../config/data-folder.ts";
import { LogError } from "../../log/errors.ts";
import { Monitor, type Observation } from "../../log/monitor.ts";
import type { Context } from "../context.ts";
import { durationMs } from "../duration.ts";
import { CliError, EXIT } from "../errors.ts";
import { trustOf } from "./verify.ts";

const TIMEOUT_MS = 30_000;

export interface MonitorCommandOptions {
  readonly key?: string;
  readonly policy?: string;
  readonly every: string;
  readonly once?: boolean;
}

/** Looks until a signal, or once. Exit code 4 after a contradiction, 1 when the only look failed. */
export async function monitorLog(
  context: Context,
  url: string,
  options: MonitorCommandOptions,
): Promise<void> {
  if (options.key === undefined && options.policy === undefined)
    throw new CliError("usage", "expected --key or --policy: who is watched must not say what to trust");
  const everyMs = durationMs(options.every);
  const { monitor: folder } = await DataFolder.create(context.folder.root);
  const trust = await trustOf(context, options);
  const monitor = await Monitor.open({ folder, url, trust, timeoutMs: TIMEOUT_MS });
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    while (!stop.signal.aborted) {
      await look(context, monitor, options.once === true);
      if (options.once === true) return;
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    monitor.close();
  }
}

async function look({ output }: Context, monitor: Monitor, once: boolean): Promise<void> {
  try {
    const observation = await monitor.look();
    if (once || observation.verdict !== "unchanged")
      output.result(observation, () => output.line(sentence(observation)));
    if (observation.verdict === "contradiction") process.exitCode = EXIT.checkFailed;
  } catch (error) {
    if (once || !(error instanceof LogError)) throw error;
    output.note(`${error.code}: ${error.message}`);
  }
}

function sentence(observation: Observation): string {
  const { origin, size, seen } = observation;
  switch (observation.verdict) {
    case "first":
      return `${origin}: ${size} records, seen for the first time; remembered from here on`;
    case "unchanged":
      return `${origin}: ${size} records, as before`;
    case "consistent":
      return `${origin}: ${size} records, consistent with the ${seen} that were seen`;
    case "stale":
      return `${origin}: shows an older checkpoint of ${size} records, consistent with the ${seen} that were seen`;
    case "contradiction":
      return `${origin}: CONTRADICTION: ${size} records that do not agree with the ${seen} that were seen (${observation.reason}); both signed checkpoints are in ${observation.evidence}`;
  }
}
