// Measures the gateway with its durable log against a bare Node proxy, nginx and the Portkey gateway, side by side in
// one run, in short interleaved slices, so that the noise of a shared machine falls on all of them alike.
import { parseArgs } from "node:util";
import { cpuPin, cpuSecondsOf } from "./gateway/cpu.ts";
import { LoadConnection, measureOpenLoop, measureSaturated, measureStreams } from "./gateway/load.ts";
import { judge, type Measured, printTable, type Slice, summarise } from "./gateway/report.ts";
import {
  type Say,
  startAdyton,
  startBare,
  startNginx,
  startPortkey,
  startPortkeyOfImage,
  startUpstream,
  type Target,
} from "./gateway/targets.ts";

/** Requests in flight when saturated. */
const SATURATED_CONNECTIONS = 48;
const OPEN_LOOP_PER_SECOND = 300;
/** Streams at once, and the pause between the events of each: 2,400 events a second, far from saturation. */
const STREAMS = 24;
/** The compiler counts calls, not seconds: on a busy machine code is still cold after many seconds of few requests. */
const WARM_UP_REQUESTS = 15_000;
const WARM_UP_EVENTS = 60_000;
const MAX_WARM_UP_SECONDS = 20;

/** Enough that a request which is due never waits for a connection while answers are less than .8 s late. */
const OPEN_LOOP_CONNECTIONS = 256;

const STARTERS: readonly (readonly [
  name: string,
  start: (upstreamPort: number, say: Say) => Promise<Target | null>,
])[] = [
  ["bare node", startBare],
  ["adyton", startAdyton],
  ["nginx", startNginx],
  ["portkey", startPortkey],
  ["portkey image", startPortkeyOfImage],
];

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly json: boolean;
  readonly only: readonly string[];
}

/** Runs the benchmark and prints its table; exit code 1 when a figure that the project promises is missed. */
export async function run(options: readonly string[]): Promise<void> {
  const settings = settingsOf(options);
  const say = (line: string): void => console.error(line);
  cpuPin(process.pid, 0);
  const upstream = await startUpstream();
  const targets: Target[] = [];
  try {
    for (const [name, start] of STARTERS) {
      if (settings.only.length > 0 && !settings.only.includes(name)) continue;
      const target = await start(upstream.port, say);
      if (target !== null) targets.push(target);
    }
    const measured = await measureAll([upstream, ...targets], settings, say);
    const verdicts = judge(measured);
    if (settings.json) console.log(JSON.stringify({ measured, verdicts }, null, 2));
    else printTable(measured, verdicts);
    if (verdicts.some(({ met }) => !met)) process.exitCode = 1;
  } finally {
    for (const target of targets) await target.stop();
    await upstream.stop();
  }
}

function settingsOf(options: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...options],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
    },
  });
  return {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    json: values.json,
    only: values.only,
  };
}

async function measureAll(
  targets: readonly Target[],
  settings: Settings,
  say: (line: string) => void,
): Promise<Measured[]> {
  const slices = new Map<string, Slice[]>(targets.map(({ name }) => [name, []]));
  for (const target of targets) await warmUp(target, say);
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const target of targets) {
      say(`round ${round} of ${settings.rounds}: ${target.name}`);
      slices.get(target.name)?.push(await measureOne(target, settings.seconds));
    }
  }
  return targets.map(({ name, note }) => summarise(name, note, slices.get(name) ?? []));
}

async function warmUp(target: Target, say: (line: string) => void): Promise<void> {
  say(`warming up: ${target.name}`);
  const untilMs = performance.now() + MAX_WARM_UP_SECONDS * 1_000;
  for (let requests = 0; requests < WARM_UP_REQUESTS && performance.now() < untilMs; ) {
    requests += (await measureSaturated(connectionsTo(target, SATURATED_CONNECTIONS, "json"), 1)).requests;
  }
  for (let events = 0; events < WARM_UP_EVENTS && performance.now() < untilMs; ) {
    events += (await measureStreams(connectionsTo(target, STREAMS, "flood"), 1)).chunks;
  }
}

async function measureOne(target: Target, seconds: number): Promise<Slice> {
  const cpu = (): { own: number; side: number } => ({
    own: cpuSecondsOf(target.pids()),
    side: cpuSecondsOf(target.sidePids()),
  });
  const start = cpu();
  const saturated = await measureSaturated(connectionsTo(target, SATURATED_CONNECTIONS, "json"), seconds);
  const afterSaturated = cpu();
  const open = await measureOpenLoop(
    connectionsTo(target, OPEN_LOOP_CONNECTIONS, "json"),
    OPEN_LOOP_PER_SECOND,
    seconds,
  );
  const beforeStreams = cpu();
  const paced = await measureStreams(connectionsTo(target, STREAMS, "paced"), seconds);
  const afterStreams = cpu();
  const flood = await measureStreams(connectionsTo(target, STREAMS, "flood"), seconds);
  const own = afterSaturated.own - start.own;
  return {
    requestsPerSecond: saturated.requests / saturated.seconds,
    cpuMicrosPerRequest: (own / saturated.requests) * 1e6,
    sideMicrosPerRequest: ((afterSaturated.side - start.side) / saturated.requests) * 1e6,
    p50Ms: open.p50Ms,
    p99Ms: open.p99Ms,
    cpuMicrosPerChunk: ((afterStreams.own - beforeStreams.own) / paced.chunks) * 1e6,
    chunksPerSecond: flood.chunks / flood.seconds,
    failures: saturated.failures + open.failures + paced.failures + flood.failures,
  };
}

function connectionsTo(target: Target, count: number, kind: "json" | "paced" | "flood"): LoadConnection[] {
  return Array.from({ length: count }, () => new LoadConnection(target.port, target.headers, kind));
}
