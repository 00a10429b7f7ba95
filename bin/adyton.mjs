#!/usr/bin/env node
// Starts the adyton command on a runtime that can run it. Plain JavaScript, so that even an old Node can read it
// far enough to say what is wrong.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED_MAJOR = 24;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const major = Number(process.versions.node.split(".")[0]);

if (major < NEEDED_MAJOR) {
  const pinned = [here("../node_modules/node/bin/node"), here("../../node/bin/node")].find((path) =>
    existsSync(path),
  );
  if (pinned === undefined) {
    console.error(
      `adyton: expected Node ${NEEDED_MAJOR} or newer, got ${process.version}. ` +
        "Run `npm ci` with install scripts allowed (npm approve-scripts node), or install Node 24.",
    );
    process.exit(78);
  }
  const child = spawnSync(pinned, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  process.exit(child.status ?? 1);
}
if (process.argv[2] === "--runtime-check") process.exit(0);

// Compiled code is kept from one start to the next, beside the installed packages and not in a folder others can write.
nodeModule.enableCompileCache?.(here("../node_modules/.cache/adyton"));

// A clone runs its source by type stripping; the published package has only dist/.
const source = here("../src/cli/main.ts");
const { main } = await import(existsSync(source) ? source : here("../dist/cli/main.js"));
await main(process.argv.slice(2));
