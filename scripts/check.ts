// Runs every check of the project, cheapest first, and stops at the first that fails: what `npm test` calls.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensureSystemPackages } from "./system-packages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => `${root}node_modules/.bin/${name}`;

/** Test files run two at a time: browsers, databases and crash tests would starve each other on small machines. */
const TEST_CONCURRENCY = 2;
/** A single test file that takes longer than this hangs. */
const TEST_TIMEOUT_MS = 600_000;

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const testFiles = globSync("test/**/*.test.ts", { cwd: root }).sort();
const steps: readonly Step[] = [
  { name: "types", command: bin("tsc"), args: ["-p", "tsconfig.json"] },
  { name: "types of the console", command: bin("tsc"), args: ["-p", "console/tsconfig.json"] },
  { name: "types of the verifier's page", command: bin("tsc"), args: ["-p", "verifier/tsconfig.json"] },
  { name: "format and lint", command: bin("biome"), args: ["check", "--error-on-warnings", "."] },
  { name: "unused code and dependencies", command: bin("knip"), args: [] },
  { name: "the package builds", command: process.execPath, args: ["scripts/build.ts"] },
  { name: "the package is sound", command: bin("publint"), args: ["--strict"] },
  {
    name: "tests",
    command: process.execPath,
    args: [
      "--test",
      `--test-concurrency=${TEST_CONCURRENCY}`,
      `--test-timeout=${TEST_TIMEOUT_MS}`,
      ...testFiles,
    ],
  },
];

function run(step: Step): void {
  const started = performance.now();
  console.log(`\n── ${step.name}`);
  const result = spawnSync(step.command, step.args, { cwd: root, stdio: "inherit" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (result.status === 0) {
    console.log(`── ${step.name}: ok in ${seconds} s`);
    return;
  }
  console.error(
    `── ${step.name}: failed after ${seconds} s${result.error ? ` (${result.error.message})` : ""}`,
  );
  process.exit(result.status ?? 1);
}

ensureSystemPackages();
// The tests come last, so that the runner's own closing lines are the last thing printed but one.
for (const step of steps) run(step);
