// `adyton config`: is the configuration right, and what is in force?
import { Command } from "commander";
import { stringify } from "yaml";
import { findConfigFile } from "../config/load.ts";
import { contextOf, globalOptions } from "./context.ts";

export function configCommand(): Command {
  const command = new Command("config").description("Check or print the configuration.");
  command
    .command("check")
    .description("Parse the configuration; each problem is printed with file, line and column.")
    .addHelpText("after", "\nExample:\n  adyton config check --config /etc/adyton.yaml")
    .action((_options: object, self: Command) => {
      const { config, output } = contextOf(self);
      const file = findConfigFile({ file: globalOptions(self).config });
      output.result({ ok: true, file, data: config.data }, () => {
        output.line(
          file === null ? "No configuration file: the defaults are in force." : `${file} is valid.`,
        );
      });
    });
  command
    .command("print")
    .description(
      "Print every setting in force, defaults included. Secrets are named by their place, never shown.",
    )
    .addHelpText("after", "\nExample:\n  adyton config print > adyton.yaml")
    .action((_options: object, self: Command) => {
      const { config, output } = contextOf(self);
      output.result(config, () => process.stdout.write(stringify(config)));
    });
  return command;
}
