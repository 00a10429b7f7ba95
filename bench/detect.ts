// Measures detection: what is found in labelled worlds, how early, how many are accused wrongly, and at which speed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, figuresOf, printFigures, printWorlds } from "./detect/figures.ts";
import { printScale, runScale, type ScaleResult } from "./detect/scale.ts";
import { runWorld, type WorldResult } from "./detect/world-run.ts";
import { CONTROLS, hasWorlds, nameOf, type WorldSpec } from "./detect/worlds.ts";

const HELP = `usage: npm run bench -- detect [options]
  --worlds 1,2,3,4,5   development worlds (none: "")
  --seeds 1            seeds of each
  --controls no-attack,shuffle-infrastructure,shuffle-prompts   run beside each world (none: "")
  --every 2            hours of virtual time between two looks
  --scale 200000       sizes of the streamed world, such as 1000000,4000000,16000000 (none: "")
  --folder <path>      keep worlds there and use what is there already
  --no-baselines       without the naive detectors
  --json`;

const LEVEL = 0.01;
const SCALE_TARGETS = { exchangesASecond: 12_000, huntSeconds: 60, peakBytes: 4 * 2 ** 30 } as const;

/** Runs the benchmark and prints its table; exit code 1 when a figure that the project promises is missed. */
export async function run(options: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...options],
    options: {
      worlds: { type: "string", default: "1,2,3,4,5" },
      seeds: { type: "string", default: "1" },
      controls: { type: "string", default: CONTROLS.join(",") },
      every: { type: "string", default: "2" },
      scale: { type: "string", default: "200000" },
      folder: { type: "string" },
      "no-baselines": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  if (!hasWorlds())
    return console.error("skipped: the tools that make labelled worlds are not beside this repository");
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "adyton-bench-")));
  try {
    const run = {
      folder,
      everyHours: Number(values.every),
      level: LEVEL,
      baselines: !values["no-baselines"],
    };
    const worlds: WorldResult[] = [];
    for (const spec of specsOf(values)) {
      console.error(nameOf(spec));
      worlds.push(await runWorld(spec, { ...run, baselines: run.baselines && spec.control === null }));
    }
    const scales: ScaleResult[] = [];
    for (const size of numbersOf(values.scale)) {
      console.error(`${size} exchanges streamed`);
      scales.push(await runScale(size, folder));
    }
    report({ worlds, scales }, values.json);
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function specsOf(values: {
  readonly worlds: string;
  readonly seeds: string;
  readonly controls: string;
}): WorldSpec[] {
  const wanted = [null, ...CONTROLS.filter((control) => values.controls.split(",").includes(control))];
  return numbersOf(values.worlds).flatMap((config) =>
    numbersOf(values.seeds).flatMap((seed) => wanted.map((control) => ({ config, seed, control }))),
  );
}

function numbersOf(list: string): number[] {
  return list
    .split(",")
    .filter((part) => part !== "")
    .map(Number);
}

function report(
  results: { readonly worlds: readonly WorldResult[]; readonly scales: readonly ScaleResult[] },
  json: boolean,
): void {
  const figures = [
    ...(results.worlds.length > 0 ? figuresOf(results.worlds) : []),
    ...results.scales.flatMap(scaleFigures),
  ];
  if (json) console.log(JSON.stringify({ ...results, figures }, null, 2));
  else {
    printWorlds(results.worlds);
    printScale(results.scales);
    console.log("");
    printFigures(figures);
  }
  if (figures.some(({ met }) => met === false)) process.exitCode = 1;
}

function scaleFigures(one: ScaleResult): Figure[] {
  const of = `${one.exchanges} exchanges`;
  const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  return [
    {
      name: `features and ingest, ${of}`,
      target: `${SCALE_TARGETS.exchangesASecond} a second`,
      measured: `${Math.round(one.exchangesASecond)} a second`,
      met: one.exchangesASecond >= SCALE_TARGETS.exchangesASecond,
    },
    {
      name: `full hunt, ${of}`,
      target: `${SCALE_TARGETS.huntSeconds} s at 16 million`,
      measured: `${one.huntSeconds.toFixed(1)} s`,
      met: one.huntSeconds <= SCALE_TARGETS.huntSeconds,
    },
    {
      name: `memory, ${of}`,
      target: gibibytes(SCALE_TARGETS.peakBytes),
      measured: gibibytes(one.peakBytes),
      met: one.peakBytes <= SCALE_TARGETS.peakBytes,
    },
  ];
}
