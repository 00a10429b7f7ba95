// `adyton store`: how the analytical database stands, and deriving it again from the log.
import { Command } from "commander";
import { contextOf } from "./context.ts";

export function storeCommand(): Command {
  const command = new Command("store").description("The analytical database, which can always be rebuilt.");
  command
    .command("status")
    .description("Show how far the store has taken the log in, and the size of its tables.")
    .addHelpText("after", "\nExample:\n  adyton store status --json")
    .action(async (_options: object, self: Command) => {
      const { status } = await import("./store/run.ts");
      await status(contextOf(self));
    });
  command
    .command("rebuild")
    .description("Drop every table and derive everything again from the sealed log.")
    .addHelpText(
      "after",
      `
Stop the server first: one process at a time holds the embedded store. Nothing is lost if it is cut: the next start
goes on where it stood.

Example:
  adyton store rebuild`,
    )
    .action(async (_options: object, self: Command) => {
      const { rebuild } = await import("./store/run.ts");
      await rebuild(contextOf(self));
    });
  return command;
}
