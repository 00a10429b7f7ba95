// `adyton serve`: the whole installation on this machine, one process a part, until it is told to stop.
import { Command } from "commander";
import { contextOf } from "./context.ts";
import { runInstallation } from "./serve/installation.ts";

export function serveCommand(): Command {
  return new Command("serve")
    .description("Run gateway, log, detection and console on this machine")
    .option("--no-welcome", "don't print the sign-in link and the example call")
    .addHelpText(
      "after",
      `
Without an upstream in the configuration a built-in sample model answers, so that everything can be tried at once.
Ctrl-C stops it in good order; a second Ctrl-C stops it at once. Everything acknowledged is kept either way.

Examples:
  adyton serve
  adyton serve --config /etc/adyton.yaml --no-welcome`,
    )
    .action(async (options: { welcome: boolean }, command: Command) => {
      await runInstallation(contextOf(command), { welcome: options.welcome });
    });
}
