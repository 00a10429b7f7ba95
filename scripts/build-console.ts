// Builds the console into dist/console; with --if-stale only where a source is newer than what was built.
import { existsSync, globSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = `${root}dist/console/index.html`;
const SOURCES = ["console/**/*", "src/api/contract/*", "package-lock.json"];

if (process.argv.includes("--if-stale") && isFresh()) {
  console.log("The console is up to date.");
} else {
  await build({ root: `${root}console`, configFile: `${root}console/vite.config.ts`, logLevel: "warn" });
  console.log("The console is built into dist/console.");
}

/** A published package has no console sources: then what is built is all there is. */
function isFresh(): boolean {
  if (!existsSync(built)) return false;
  const builtMs = statSync(built).mtimeMs;
  return globSync(SOURCES, { cwd: root }).every((path) => statSync(root + path).mtimeMs <= builtMs);
}
