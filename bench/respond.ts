// Measures response: how much of each fleet's harvest is still served with enforcement on, and what honest accounts feel of it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { canonicalJson } from "../src/core/canonical-json.ts";
import { parsePolicy, STANDARD_POLICY } from "../src/respond/policy.ts";
import { digestOfCode, KeptResults } from "./detect/kept.ts";
import { devWorld, hasWorlds, makeWorld } from "./detect/worlds.ts";
import { type EnforcedRun, enforce } from "./respond/enforced-run.ts";
import { measurePaired, type Paired } from "./respond/paired.ts";
import { measurePropagation, type Propagation } from "./respond/propagation.ts";
import {
  medianServed,
  printLive,
  printPopulations,
  printPromises,
  printRuns,
  touchedIn,
} from "./respond/report.ts";

const HELP = `usage: npm run bench -- respond [options]
  --worlds 1,2,3,4,5   development worlds (none: "")
  --seed 1             their seed
  --policies standard,quarantine
                       standard: Adyton's own; quarantine: every finding with p of at most 0.01, and every probe
  --approval 60        minutes that an approver takes, who approves everything
  --every 0.25         hours of virtual time between two looks
  --folder <path>      keep worlds and finished runs there; what is there already is used, and a run that was made with
                       the same code and settings is not made again
  --no-live            without the latencies on running gateways
  --json
  --markdown           only the table of docs/response.md, over the runs that are kept in the folder`;

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
      every: { type: "string", default: "0.25" },
      folder: { type: "string" },
      "no-live": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.markdown) return printTable(await runsOf({ ...values, onlyKept: true }));
  const live = values["no-live"] ? null : await measureLive();
  const runs = hasWorlds() ? await runsOf(values) : [];
  if (!hasWorlds())
    console.error("skipped: the tools that make labelled worlds are not beside this repository");
  report({ live, runs }, values.json);
}

async function measureLive(): Promise<Live> {
  console.error("from a finding to its effect on a gateway");
  const propagation = await measurePropagation();
  console.error("a customer's latency with and without enforcement, in pairs");
  return { propagation, paired: await measurePaired() };
}

interface Values {
  readonly worlds: string;
  readonly seed: string;
  readonly policies: string;
  readonly approval: string;
  readonly every: string;
  readonly folder?: string | undefined;
  /** Measure nothing. */
  readonly onlyKept?: boolean;
}

async function runsOf(values: Values): Promise<EnforcedRun[]> {
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "adyton-bench-")));
  const code = await digestOfCode(["src/respond", "src/state", "bench/respond"]);
  const runs: EnforcedRun[] = [];
  try {
    for (const config of list(values.worlds).map(Number)) {
      const spec = devWorld(config, Number(values.seed), null);
      for (const policy of list(values.policies)) {
        const setting = {
          name: policy,
          policy: policy === "standard" ? STANDARD_POLICY : QUARANTINE,
          approvalMinutes: Number(values.approval),
          everyHours: Number(values.every),
          onProgress: (line: string) => console.error(`${spec.name}, policy ${policy}: ${line}`),
        };
        const key = canonicalJson({
          code,
          policy: setting.policy,
          approval: values.approval,
          every: values.every,
        });
        const kept = new KeptResults<EnforcedRun>(join(folder, "enforced"), key);
        let run = await kept.read(`${spec.name}-${policy}`);
        if (run === null && values.onlyKept === true) continue;
        if (run === null) {
          run = await enforce(await makeWorld(spec, join(folder, "worlds")), spec.name, setting);
          await kept.write(`${spec.name}-${policy}`, run);
        } else if (values.onlyKept !== true) setting.onProgress("measured before");
        runs.push(run);
      }
    }
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
  return runs;
}

interface Live {
  readonly propagation: Propagation;
  readonly paired: Paired;
}

/** The share of a fleet's harvest that was served in the median, and whether it and the honest accounts are as promised. */
function report({ live, runs }: { live: Live | null; runs: readonly EnforcedRun[] }, asJson: boolean): void {
  const median = medianServed(runs.filter(({ policy }) => policy === "quarantine"));
  const touched = touchedIn(runs.filter(({ policy }) => policy === "standard"));
  const met = (median === null || median <= MOST_SERVED) && touched === 0;
  if (asJson)
    console.log(JSON.stringify({ ...live, runs, median, touched, mostServed: MOST_SERVED, met }, null, 2));
  else {
    printRuns(runs);
    printPopulations(runs);
    if (live !== null) printLive(live);
    printPromises({ runs, median, touched, mostServed: MOST_SERVED });
  }
  if (!met) process.exitCode = 1;
}

/** A row a fleet: why a part of its harvest was served, what was not, and what honest accounts felt of it. */
function printTable(runs: readonly EnforcedRun[]): void {
  console.log(
    "| world, policy | fleet | served | before it was found | by accounts not found with it | until the measure held | honest accounts touched |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const { world, policy, fleets, populations } of runs) {
    const touched = populations.reduce((sum, { accountsTouched }) => sum + accountsTouched, 0);
    const honest = populations.reduce((sum, { accounts }) => sum + accounts, 0);
    for (const [index, { family, size, harvest, served }] of fleets.entries()) {
      const all = harvest.served + harvest.reduced + harvest.refused;
      const share = (count: number): string => `${((100 * count) / Math.max(1, all)).toFixed(1)} %`;
      const cells = [
        index === 0 ? `${world}, \`${policy}\`` : "",
        `${family}, ${size} ${size === 1 ? "account" : "accounts"}`,
        ...[harvest.served, served.unfound, served.outside, served.deciding].map(share),
        index === 0 ? `${touched} of ${honest}` : "",
      ];
      console.log(`| ${cells.join(" | ")} |`);
    }
  }
  const median = medianServed(runs.filter(({ policy }) => policy === "quarantine"));
  if (median !== null) console.log(`\nMedian under \`quarantine\`: ${(100 * median).toFixed(1)} %.`);
}

function list(text: string): string[] {
  return text.split(",").filter((part) => part !== "");
}
