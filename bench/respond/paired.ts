// Measures what enforcement costs a customer whom no measure concerns: the same requests in turn with it and without it.
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { openEnforcement } from "../../src/cli/serve/enforcement.ts";
import { gatewaySection } from "../../src/config/gateway-section.ts";
import { respondSection } from "../../src/config/respond-section.ts";
import { unknownAccount } from "../../src/core/account.ts";
import { type RunningWorker, startWorker } from "../../src/gateway/worker.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";

const CAMPAIGN = 20_000;
const WARM_UP = 500;
const PAIRS = 3000;
const SEGMENT_BYTES = 16 * 1024 * 1024;
const ANSWER = Buffer.from(
  JSON.stringify({ choices: [{ message: { role: "assistant", content: "Hello." } }] }),
);
const QUESTION = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Say hello." }] });

/** Milliseconds of one request, with a campaign of 20,000 accounts in quarantine and without any enforcement. */
export interface Paired {
  readonly pairs: number;
  readonly without: { readonly p50: number; readonly p99: number };
  readonly with: { readonly p50: number; readonly p99: number };
  /** Median of the differences within pairs, microseconds. */
  readonly medianDifferenceUs: number;
}

export async function measurePaired(): Promise<Paired> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-paired-"));
  const upstream = await startUpstream();
  const state = await State.open({ folder });
  await state.accounts.ensure(unknownAccount("customer"));
  const { secret } = await state.keys.create({ account: "customer", label: "bench" });
  const { id } = await state.verdicts.propose({
    ...{
      measure: "quarantine",
      reason: "unusual-use",
      shadow: false,
      lifeMs: 86_400_000,
      inheritLimit: 0,
      by: "bench",
    },
    accounts: Array.from({ length: CAMPAIGN }, (_, index) => `acct_${index}`),
  });
  await state.verdicts.approve(id, { by: "bench", note: "measured", effectiveMs: 0 });
  const directory = await KeyDirectory.open(state);
  const keys = await Keyring.open({ folder });
  const log = pino({ level: "silent" });
  const open = async (writer: string): Promise<LogWriter> =>
    await LogWriter.open({ folder, writer, keys, segmentBytes: SEGMENT_BYTES });
  const writers = [await open("gateway-0"), await open("gateway-1")] as const;
  const config = respondSection.parse({ mode: "enforce" });
  const enforcement = await openEnforcement({ config, state, directory, writer: writers[1], log });
  const gateway = gatewaySection.parse({
    listen: { port: 0 },
    upstreams: [
      {
        name: "model",
        family: "openai",
        url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      },
    ],
  });
  const common = {
    config: gateway,
    directory,
    log,
    readSecret: async () => "",
    accountOfUpstreamKey: (key: string) => key,
  };
  const workers: RunningWorker[] = [
    await startWorker({ ...common, writer: writers[0] }),
    await startWorker({
      ...common,
      writer: writers[1],
      measures: enforcement.measures,
      appeals: enforcement.appeals,
    }),
  ];
  try {
    return await compare(workers, secret);
  } finally {
    for (const worker of workers) await worker.close();
    enforcement.close();
    for (const writer of writers) await writer.close();
    directory.close();
    await state.close();
    keys.close();
    await new Promise((resolve) => upstream.close(resolve));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startUpstream(): Promise<Server> {
  const upstream = createServer((asked, response) => {
    asked.resume().once("end", () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": ANSWER.length });
      response.end(ANSWER);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  return upstream;
}

async function compare(workers: readonly RunningWorker[], key: string): Promise<Paired> {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const took: [number[], number[]] = [[], []];
  const differences: number[] = [];
  for (let pair = 0; pair < WARM_UP + PAIRS; pair += 1) {
    // Who goes first alternates, so that neither has the warmer machine.
    const order = pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    const times: [number, number] = [0, 0];
    for (const index of order) times[index] = await once(agent, workers[index]?.port ?? 0, key);
    if (pair < WARM_UP) continue;
    took[0].push(times[0]);
    took[1].push(times[1]);
    differences.push(times[1] - times[0]);
  }
  agent.destroy();
  return {
    pairs: PAIRS,
    without: { p50: at(took[0], 0.5), p99: at(took[0], 0.99) },
    with: { p50: at(took[1], 0.5), p99: at(took[1], 0.99) },
    medianDifferenceUs: at(differences, 0.5) * 1000,
  };
}

async function once(agent: Agent, port: number, key: string): Promise<number> {
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    const asked = request(
      {
        ...{ agent, host: "127.0.0.1", port, method: "POST", path: "/v1/chat/completions" },
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`expected 200, got ${response.statusCode}`));
        response.resume().once("end", () => resolve());
      },
    );
    asked.once("error", reject);
    asked.end(QUESTION);
  });
  return performance.now() - startedMs;
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
