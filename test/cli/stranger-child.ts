// Runs commands one after the other as a system user who does not own the data folder, and tells what came of each.
import { accessSync, constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { main } from "../../src/cli/main.ts";

interface Order {
  readonly lines: readonly (readonly string[])[];
  /** Whom to become; null: stay who we are. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

const SOURCE = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

process.once("message", (order: Order) => {
  void run(order).then(() => process.disconnect());
});

async function run({ lines, owner }: Order): Promise<void> {
  if (owner !== null) {
    process.setgroups?.([]);
    process.setgid?.(owner.gid);
    process.setuid?.(owner.uid);
  }
  try {
    accessSync(SOURCE, constants.R_OK);
  } catch {
    process.send?.({ skipped: "the stranger may not read the program itself here" });
    return;
  }
  for (const line of lines) {
    const said: string[] = [];
    const note = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
    const [out, err] = [process.stdout.write, process.stderr.write];
    Object.assign(process.stdout, { write: note });
    Object.assign(process.stderr, { write: note });
    process.exitCode = 0;
    await main([...line]);
    Object.assign(process.stdout, { write: out });
    Object.assign(process.stderr, { write: err });
    process.send?.({ line, code: process.exitCode, said: said.join("") });
  }
  process.exitCode = 0;
}
