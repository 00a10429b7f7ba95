// From slices to figures: medians, the promises they are held against, and the table.

/** One target's figures in one round. */
export interface Slice {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
  /** CPU of processes beside the request path (the ledger). */
  readonly sideMicrosPerRequest: number;
  /** At 300 requests a second, from the time a request was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosPerChunk: number;
  readonly chunksPerSecond: number;
  readonly failures: number;
}

export interface Measured {
  readonly name: string;
  readonly note: string;
  readonly median: Slice;
  /** Best of the rounds: what the machine can do when its other users are quiet. */
  readonly best: Slice;
  readonly rounds: readonly Slice[];
}

export interface Verdict {
  readonly promise: string;
  readonly value: number;
  readonly limit: number;
  readonly met: boolean;
}

const MORE_IS_BETTER: ReadonlySet<keyof Slice> = new Set(["requestsPerSecond", "chunksPerSecond"]);

export function summarise(name: string, note: string, rounds: readonly Slice[]): Measured {
  return {
    name,
    note,
    median: folded(rounds, (sorted) => sorted[Math.floor(sorted.length / 2)]),
    best: folded(rounds, (sorted, key) => (MORE_IS_BETTER.has(key) ? sorted.at(-1) : sorted[0])),
    rounds,
  };
}

function folded(
  rounds: readonly Slice[],
  pick: (sorted: number[], key: keyof Slice) => number | undefined,
): Slice {
  const value = (key: keyof Slice): number => {
    const sorted = rounds.map((round) => round[key]).sort((a, b) => a - b);
    return Math.round((pick(sorted, key) ?? Number.NaN) * 1_000) / 1_000;
  };
  return {
    requestsPerSecond: value("requestsPerSecond"),
    cpuMicrosPerRequest: value("cpuMicrosPerRequest"),
    sideMicrosPerRequest: value("sideMicrosPerRequest"),
    p50Ms: value("p50Ms"),
    p99Ms: value("p99Ms"),
    cpuMicrosPerChunk: value("cpuMicrosPerChunk"),
    chunksPerSecond: value("chunksPerSecond"),
    failures: value("failures"),
  };
}

/** What the project promises of its gateway, held against the medians of this run. A target that was skipped is left out. */
export function judge(measured: readonly Measured[]): Verdict[] {
  const of = (name: string): Slice | undefined => measured.find((one) => one.name === name)?.median;
  const [adyton, bare] = [of("adyton"), of("bare node")];
  const verdicts: Verdict[] = [];
  const hold = (promise: string, value: number, limit: number): void => {
    verdicts.push({ promise, value: Math.round(value * 1_000) / 1_000, limit, met: value <= limit });
  };
  if (adyton !== undefined && bare !== undefined) {
    hold(
      "CPU a request, times the bare Node proxy's",
      adyton.cpuMicrosPerRequest / bare.cpuMicrosPerRequest,
      2,
    );
    hold(
      "CPU a streamed chunk, times the bare Node proxy's",
      adyton.cpuMicrosPerChunk / bare.cpuMicrosPerChunk,
      1.5,
    );
    hold("p50 at 300 requests/s, ms more than the bare Node proxy's", adyton.p50Ms - bare.p50Ms, 1.5);
    hold("p99 at 300 requests/s, ms more than the bare Node proxy's", adyton.p99Ms - bare.p99Ms, 10);
    hold("failed requests", adyton.failures, 0);
  }
  for (const [name, where] of [
    ["portkey", "on the same Node"],
    ["portkey image", "on the Node of its image"],
  ] as const) {
    const portkey = of(name);
    if (adyton !== undefined && portkey !== undefined) {
      const share = adyton.cpuMicrosPerRequest / portkey.cpuMicrosPerRequest;
      hold(`CPU a request, share of Portkey's ${where}`, share, 1 / 8);
    }
  }
  return verdicts;
}

const COLUMNS: readonly (readonly [heading: string, key: keyof Slice])[] = [
  ["requests/s", "requestsPerSecond"],
  ["CPU us/request", "cpuMicrosPerRequest"],
  ["beside, us", "sideMicrosPerRequest"],
  ["p50 ms", "p50Ms"],
  ["p99 ms", "p99Ms"],
  ["chunks/s", "chunksPerSecond"],
  ["CPU us/chunk", "cpuMicrosPerChunk"],
  ["failed", "failures"],
];

export function printTable(measured: readonly Measured[], verdicts: readonly Verdict[]): void {
  const shown = (value: number): string =>
    value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
  const rows = measured.map(({ name, median, best }) => [
    name,
    ...COLUMNS.map(([, key]) => `${shown(median[key])} (${shown(best[key])})`),
  ]);
  const head = ["median (best)", ...COLUMNS.map(([heading]) => heading)];
  const widths = head.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  for (const row of [head, ...rows])
    console.log(row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  console.log("");
  for (const { name, note } of measured) console.log(`${name}: ${note}`);
  console.log(
    `rounds: ${measured[0]?.rounds.length ?? 0}; latency at 300 requests/s, open loop; CPU from /proc, all threads; differences under about 20 % mean nothing on a shared machine`,
  );
  console.log("");
  for (const { promise, value, limit, met } of verdicts) {
    console.log(
      `${met ? "met   " : "MISSED"}  ${promise}: ${value.toFixed(3)} (at most ${limit.toFixed(3)})`,
    );
  }
}
