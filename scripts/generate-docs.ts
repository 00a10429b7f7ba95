// Writes the documents that are made from code: settings, error codes, commands. `--check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { commandsPage } from "./docs/commands.ts";
import { configurationPage } from "./docs/configuration.ts";
import { errorsPage } from "./docs/errors.ts";

const root = new URL("../", import.meta.url);

/** Path from the repository's root, and the text that belongs there. */
export async function pages(): Promise<readonly { path: string; text: string }[]> {
  return [
    { path: "docs/configuration.md", text: configurationPage() },
    { path: "docs/errors.md", text: await errorsPage(root) },
    { path: "docs/cli.md", text: commandsPage() },
  ];
}

/** Paths of the documents that differ from the code. */
export async function stalePages(): Promise<string[]> {
  return (await pages()).filter(({ path, text }) => textOf(path) !== text).map(({ path }) => path);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(new URL(path, root), "utf8");
  } catch {
    return null;
  }
}

if (import.meta.main) {
  const stale = await stalePages();
  if (process.argv.includes("--check")) {
    for (const path of stale)
      console.error(`${path} differs from the code: run node scripts/generate-docs.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, text } of await pages())
      if (stale.includes(path)) writeFileSync(new URL(path, root), text);
    console.log(stale.length === 0 ? "All documents are up to date." : `Wrote ${stale.join(", ")}.`);
  }
}
