// `npm run fuzz -- --minutes 60`: the fuzzing tests of the suite, for as long as one wants.
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`usage: npm run fuzz -- --minutes <minutes>, got ${values.minutes}`);
  process.exit(2);
}
const files = globSync("test/**/fuzz.test.ts");
const seconds = String((minutes * 60) / files.length);
const env = { ...process.env, ADYTON_FUZZ_SECONDS: seconds };
const args = ["--test", "--test-concurrency=1", "--test-timeout=0", ...files];
process.exit(spawnSync(process.execPath, args, { stdio: "inherit", env }).status ?? 1);
