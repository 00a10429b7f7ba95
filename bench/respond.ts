// Measures response: how much of each fleet's harvest is still served with enforcement on, and what honest accounts feel of it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsePolicy, STANDARD_POLICY } from "../src/respond/policy.ts";
import { devWorld, hasWorlds, makeWorld } from "./detect/worlds.ts";
import { type EnforcedRun, enforce } from "./respond/enforced-run.ts";
import { measurePaired, type Paired } from "./respond/paired.ts";
import { measurePropagation, type Propagation } from "./respond/propagation.ts";
import { medianServed, printRuns, printSummary } from "./respond/report.ts";

const HELP = `usage: npm run bench -- respond [options]
  --worlds 1,2,3,4,5   development worlds (none: "")
  --seed 1             their seed
  --policies standard,quarantine
                       standard: Adyton's own; quarantine: every finding with p of at most 0.01, and every probe
  --approval 60        minutes that an approver takes, who approves everything
  --every 1            hours of virtual time between two looks
  --folder <path>      keep worlds there and use what is there already
  --json`;

/** What the project promises: the median over fleets of the share of the harvest that was served under \`quarantine\`. */
const MOST_SERVED = 0.12;

const QUARANTINE = parsePolicy(`
version: 1
rules:
  - { id: probe, measure: quarantine, when: { kinds: [probe] } }
  - { id: sure, measure: quarantine, when: { pAtMost: 0.01 } }
`);

/** Runs the benchmark and prints its tables; exit code 1 when a figure that the project promises is missed. */
export async function run(options: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      worlds: { type: "string", default: "1,2,3,4,5" },
      seed: { type: "string", default: "1" },
      policies: { type: "string", default: "standard,quarantine" },
      approval: { type: "string", default: "60" },
      every: { type: "string", default: "1" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  console.error("from a finding to its effect on a gateway");
  const propagation = await measurePropagation();
  console.error("a customer's latency with and without enforcement, in pairs");
  const paired = await measurePaired();
  const runs = hasWorlds() ? await runsOf(values) : [];
  if (!hasWorlds())
    console.error("skipped: the tools that make labelled worlds are not beside this repository");
  report({ propagation, paired, runs }, values.json);
}

interface Values {
  readonly worlds: string;
  readonly seed: string;
  readonly policies: string;
  readonly approval: string;
  readonly every: string;
  readonly folder?: string | undefined;
}

async function runsOf(values: Values): Promise<EnforcedRun[]> {
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "adyton-bench-")));
  const runs: EnforcedRun[] = [];
  try {
    for (const config of list(values.worlds).map(Number)) {
      const spec = devWorld(config, Number(values.seed), null);
      const world = await makeWorld(spec, join(folder, "worlds"));
      for (const name of list(values.policies)) {
        console.error(`${spec.name}, policy ${name}`);
        const policy = name === "standard" ? STANDARD_POLICY : QUARANTINE;
        const setting = {
          name,
          policy,
          approvalMinutes: Number(values.approval),
          everyHours: Number(values.every),
        };
        runs.push(await enforce(world, spec.name, setting));
      }
    }
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
  return runs;
}

interface Measured {
  readonly propagation: Propagation;
  readonly paired: Paired;
  readonly runs: readonly EnforcedRun[];
}

function report({ propagation, paired, runs }: Measured, asJson: boolean): void {
  const median = medianServed(runs.filter(({ policy }) => policy === "quarantine"));
  const met = median === null || median <= MOST_SERVED;
  if (asJson)
    console.log(JSON.stringify({ propagation, paired, runs, median, mostServed: MOST_SERVED, met }, null, 2));
  else {
    printRuns(runs);
    printSummary({ propagation, paired, median, mostServed: MOST_SERVED });
  }
  if (!met) process.exitCode = 1;
}

function list(text: string): string[] {
  return text.split(",").filter((part) => part !== "");
}
