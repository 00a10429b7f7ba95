// Measures detection: what is found in labelled worlds, how early, how many are accused wrongly, and at which speed.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Figure, figuresOf, printFigures, printWorlds } from "./detect/figures.ts";
import { digestOfCode, KeptResults } from "./detect/kept.ts";
import { mmdFigures, printSets, runMmd } from "./detect/mmd.ts";
import { printScale, runScale, type ScaleResult } from "./detect/scale.ts";
import { printUnusual, runUnusual, type UnusualResult } from "./detect/unusual.ts";
import { runWorld, type WorldResult } from "./detect/world-run.ts";
import { CONTROLS, devWorld, hasWorlds, madeWorlds, type WorldSpec } from "./detect/worlds.ts";

const HELP = `usage: npm run bench -- detect [options]
  --worlds 1,2,3,4,5   development worlds (none: "")
  --seeds 1,2          seeds of each, with and without their attackers
  --controls shuffle-infrastructure,shuffle-prompts   run beside each world of the first seed (none: "")
  --made <path>        worlds that were made before, one a folder, as well
  --every 1            hours of virtual time between two looks
  --mmd                the MMD paper's protocol alone, on prompts instead of worlds
  --unusual            the ranking of accounts alone, over the same worlds
  --mmd-cuts 10        ways to cut the honest prompts into reference and test
  --scale 200000       sizes of the streamed world, such as 1000000,4000000,16000000 (none: "")
  --folder <path>      keep worlds, results and filled stores there, and go on from what is there already
  --no-baselines       without the naive detectors
  --json`;

const LEVEL = 0.01;
const SCALE_TARGETS = { exchangesASecond: 12_000, huntSeconds: 60, peakBytes: 4 * 2 ** 30 } as const;

/** Runs the benchmark and prints its table; exit code 1 when a figure that the project promises is missed. */
export async function run(options: readonly string[]): Promise<void> {
  const values = valuesOf(options);
  if (values.help) return console.log(HELP);
  if (!hasWorlds())
    return console.error("skipped: the tools that make labelled worlds are not beside this repository");
  if (values.mmd) return reportMmd(Number(values["mmd-cuts"]), values.json);
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), "adyton-bench-")));
  try {
    const everyHours = Number(values.every);
    const specs = [...specsOf(values), ...(values.made === undefined ? [] : await madeWorlds(values.made))];
    if (values.unusual) return await reportUnusual(specs, { folder, everyHours, json: values.json });
    const { worlds, broken } = await runWorlds(specs, {
      folder,
      everyHours,
      baselines: !values["no-baselines"],
    });
    const scales: ScaleResult[] = [];
    for (const size of numbersOf(values.scale)) {
      console.error(`${size} exchanges streamed`);
      scales.push(await runScale(size, folder, values.folder !== undefined));
    }
    report({ worlds, scales, broken }, values.json);
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface Values {
  readonly worlds: string;
  readonly seeds: string;
  readonly controls: string;
  readonly made?: string | undefined;
  readonly every: string;
  readonly mmd: boolean;
  readonly unusual: boolean;
  readonly "mmd-cuts": string;
  readonly scale: string;
  readonly folder?: string | undefined;
  readonly "no-baselines": boolean;
  readonly json: boolean;
  readonly help: boolean;
}

function valuesOf(options: readonly string[]): Values {
  return parseArgs({
    args: [...options],
    options: {
      worlds: { type: "string", default: "1,2,3,4,5" },
      seeds: { type: "string", default: "1,2" },
      controls: { type: "string", default: "shuffle-infrastructure,shuffle-prompts" },
      made: { type: "string" },
      every: { type: "string", default: "1" },
      mmd: { type: "boolean", default: false },
      unusual: { type: "boolean", default: false },
      "mmd-cuts": { type: "string", default: "10" },
      scale: { type: "string", default: "200000" },
      folder: { type: "string" },
      "no-baselines": { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  }).values;
}

/** Each world in turn. One that breaks is reported and the others go on: a long run must not end with nothing. */
async function runWorlds(
  specs: readonly WorldSpec[],
  options: { readonly folder: string; readonly everyHours: number; readonly baselines: boolean },
): Promise<{ readonly worlds: WorldResult[]; readonly broken: string[] }> {
  const { everyHours, folder } = options;
  const key = JSON.stringify([await digestOfCode(), LEVEL, everyHours, options.baselines]);
  const kept = new KeptResults<WorldResult>(join(folder, "results"), key);
  const worlds: WorldResult[] = [];
  const broken: string[] = [];
  for (const [index, spec] of specs.entries()) {
    const began = performance.now();
    const baselines = options.baselines && spec.control === null;
    try {
      const before = await kept.read(spec.name);
      const result = before ?? (await runWorld(spec, { folder, everyHours, level: LEVEL, baselines }));
      if (before === null) await kept.write(spec.name, result);
      worlds.push(result);
      const seconds = before === null ? `${Math.round((performance.now() - began) / 1000)} s` : "kept";
      console.error(`${index + 1} of ${specs.length}, ${seconds}: ${inShort(result)}`);
    } catch (error) {
      broken.push(`${spec.name}: ${String(error)}`);
      console.error(`${index + 1} of ${specs.length}: ${spec.name} broke: ${String(error)}`);
    }
  }
  return { worlds, broken };
}

function inShort({ name, score, looks, lookSeconds }: WorldResult): string {
  const found = score.fleets.filter((fleet) => fleet.detected).length;
  return `${name}: ${found} of ${score.fleets.length} fleets, ${score.overall.benign_flagged} honest accounts accused, ${looks} looks in ${Math.round(lookSeconds)} s`;
}

function specsOf(values: Pick<Values, "worlds" | "seeds" | "controls">): WorldSpec[] {
  const controls = CONTROLS.filter((control) => values.controls.split(",").includes(control));
  return numbersOf(values.worlds).flatMap((config) =>
    numbersOf(values.seeds).flatMap((seed, nth) => [
      devWorld(config, seed, null),
      devWorld(config, seed, "no-attack"),
      ...(nth === 0 ? controls.map((control) => devWorld(config, seed, control)) : []),
    ]),
  );
}

async function reportUnusual(
  specs: readonly WorldSpec[],
  {
    folder,
    everyHours,
    json,
  }: { readonly folder: string; readonly everyHours: number; readonly json: boolean },
): Promise<void> {
  const results: UnusualResult[] = [];
  for (const [index, spec] of specs.entries()) {
    const result = await runUnusual(spec, { folder, everyHours, level: LEVEL });
    results.push(result);
    console.error(
      `${index + 1} of ${specs.length}: ${spec.name}: ${result.looks} looks, ${result.secondsALook.toFixed(2)} s each`,
    );
  }
  if (json) console.log(JSON.stringify({ unusual: results }, null, 2));
  else printUnusual(results);
}

async function reportMmd(splits: number, json: boolean): Promise<void> {
  const results = await runMmd({ seed: 1, splits });
  const figures = mmdFigures(results);
  if (json) console.log(JSON.stringify({ mmd: results, figures }, null, 2));
  else {
    printSets(results);
    console.log("");
    printFigures(figures);
  }
  if (figures.some(({ met }) => met === false)) process.exitCode = 1;
}

function numbersOf(list: string): number[] {
  return list
    .split(",")
    .filter((part) => part !== "")
    .map(Number);
}

function report(
  results: {
    readonly worlds: readonly WorldResult[];
    readonly scales: readonly ScaleResult[];
    readonly broken: readonly string[];
  },
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
  for (const one of results.broken) console.error(`not measured: ${one}`);
  if (results.broken.length > 0 || figures.some(({ met }) => met === false)) process.exitCode = 1;
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
