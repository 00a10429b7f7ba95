// `npm run bench -- <name> [options]`: runs one benchmark. Each prints a table, and JSON with --json.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What each file `bench/<name>.ts` exports. */
interface Benchmark {
  run(options: readonly string[]): Promise<void>;
}

const NAMES: readonly string[] = ["gateway", "log", "detect", "respond"];

const [name = "", ...options] = process.argv.slice(2);
const file = new URL(`./${name}.ts`, import.meta.url);
if (!NAMES.includes(name) || !existsSync(fileURLToPath(file))) {
  const present = NAMES.filter((one) => existsSync(fileURLToPath(new URL(`./${one}.ts`, import.meta.url))));
  console.error(`usage: npm run bench -- <name> [--json]\n  names: ${present.join(", ")}`);
  process.exit(2);
}
const benchmark: Benchmark = await import(file.href);
await benchmark.run(options);
