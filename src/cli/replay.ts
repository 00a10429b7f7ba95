// `adyton replay`: recorded exchanges happen again in virtual time, with detection running as it would have run live.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { DataFolder } from "../config/data-folder.ts";
import { type Context, contextOf, globalOptions } from "./context.ts";
import { durationMs } from "./duration.ts";
import { CliError, EXIT } from "./errors.ts";
import type { ReplayOptions, ReplaySummary } from "./replay/run.ts";

const HELP = `
The file is that of \`adyton import exchanges\`, in the order of time. At every tick of virtual time the log is sealed,
the store catches up, and detection runs; it can know nothing later. Findings go to a file as
{"findings":[{"id","time","kind","accounts","p","e"}]}; one that grows is told again under its id.

Without --data everything happens in a temporary folder that is removed. With it, the folder's log must be empty, and
\`adyton serve --data\` shows afterwards what was found.
The exit code is 3 when lines were rejected.

Examples:
  adyton replay exchanges.jsonl.gz --accounts accounts.jsonl --findings out.json
  adyton replay exchanges.jsonl --findings out.json --tick 6h --data replayed`;

export function replayCommand(): Command {
  return new Command("replay")
    .description("Run recorded exchanges through log and detection in virtual time.")
    .argument("<exchanges>", "exchanges, one JSON object a line, plain or gzipped")
    .requiredOption("--findings <file>", "where to write what was found")
    .option("--accounts <file>", "facts about the accounts, one JSON object a line")
    .addOption(
      new Option("--tick <time>", "virtual time between two looks, such as 1h")
        .argParser(durationMs)
        .default(3_600_000, "1h"),
    )
    .addHelpText("after", HELP)
    .action(async (exchanges: string, options: ReplayOptions, self: Command) => {
      if (options.tick < 1000) throw new CliError("usage", "expected a tick of at least 1s");
      const context = contextOf(self);
      const isKept = globalOptions(self).data !== undefined;
      const root = isKept ? context.folder.root : await mkdtemp(join(tmpdir(), "adyton-replay-"));
      const { replay } = await import("./replay/run.ts");
      const stop = new AbortController();
      const onSignal = (): void => stop.abort();
      process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
      try {
        const folder = await DataFolder.create(root);
        const summary = await replay({ ...context, folder }, exchanges, { ...options, signal: stop.signal });
        print(context, options.findings, summary);
        if (summary.rejected > 0) process.exitCode = EXIT.rejectedInput;
      } finally {
        process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
        if (!isKept) await rm(root, { recursive: true, force: true });
      }
    });
}

function print({ output }: Context, file: string, summary: ReplaySummary): void {
  output.result(summary, () => {
    const { exchanges, seconds, ticks, findings, duplicates, rejected } = summary;
    const rate = Math.round(exchanges / Math.max(seconds, 0.001));
    const part = (name: string, value: number): string => `${name} ${value.toFixed(1)} s`;
    const parts = [
      part("sealing", summary.sealSeconds),
      part("ingest", summary.ingestSeconds),
      part("detection", summary.huntSeconds),
    ];
    output.line(
      `Replayed ${exchanges} exchanges in ${seconds.toFixed(1)} s (${rate} a second), ${ticks} ticks.`,
    );
    output.line(`Of this: ${parts.join(", ")}. ${duplicates} duplicates, ${rejected} lines rejected.`);
    output.line(`${findings} findings in ${file}.`);
    if (summary.failingDetectors.length > 0)
      output.line(`Not finished: ${summary.failingDetectors.join(", ")}.`);
  });
}
