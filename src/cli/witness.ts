// `adyton witness`: this machine as a witness of other logs, so that they can't show different histories to different people.
import { Command } from "commander";
import { contextOf } from "./context.ts";
import type { ServeOptions } from "./witness/run.ts";

function collect(value: string, former: readonly string[]): string[] {
  return [...former, value];
}

export function witnessCommand(): Command {
  const command = new Command("witness").description(
    "Witness other logs: cosign what only ever grows, keep proof of what does not.",
  );
  command
    .command("serve")
    .description("Take checkpoints of the configured logs and cosign them (C2SP tlog-witness).")
    .option("--log <vkey>", "key of a log to witness; may be given again", collect, [])
    .option("--policy <file>", "a tlog-policy whose logs are witnessed too")
    .addHelpText(
      "after",
      `
Needs nothing of an installation but its data folder, where key and memory are kept under witness/. Never restore an
older copy of that folder: a witness that forgets can be made to vouch for a second history.

Examples:
  adyton witness serve --log 'example.com/log+…+…'
  adyton witness serve --policy policy-of-the-log.txt`,
    )
    .action(async (options: ServeOptions, self: Command) => {
      const { serveWitness } = await import("./witness/run.ts");
      await serveWitness(contextOf(self), options);
    });
  command
    .command("key")
    .description("Print this witness's public keys, for logs and verifiers to trust; made on first use.")
    .addHelpText("after", "\nExample:\n  adyton witness key")
    .action(async (_options: object, self: Command) => {
      const { printWitnessKeys } = await import("./witness/run.ts");
      await printWitnessKeys(contextOf(self));
    });
  command
    .command("show")
    .description("Show what was cosigned of each log, and every contradiction. Exit code 4 if there is one.")
    .addHelpText("after", "\nExample:\n  adyton witness show --json | jq .contradictions")
    .action(async (_options: object, self: Command) => {
      const { showWitness } = await import("./witness/run.ts");
      await showWitness(contextOf(self));
    });
  return command;
}
