// A gateway worker with everything real around it: keys, log, key directory, and an upstream that the test plays.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { type GatewayConfig, gatewaySection } from "../../src/config/gateway-section.ts";
import { readSecret } from "../../src/config/secret.ts";
import type { CloseFigures, HeaderPairs, OpenNetwork, RecordDraft } from "../../src/core/record.ts";
import type { GatewayMetrics } from "../../src/gateway/metrics.ts";
import type { RecordWriter } from "../../src/gateway/recorder.ts";
import { type RunningWorker, startWorker } from "../../src/gateway/worker.ts";
import { type Disk, NODE_DISK } from "../../src/log/disk.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { type Behaviour, startUpstream, type Upstream } from "../helpers/upstream.ts";

export const UPSTREAM_KEY = "sk-test-the-upstreams-own-key";
const UPSTREAM_KEY_VARIABLE = "ADYTON_TEST_UPSTREAM_KEY";
export const ACCOUNT = "acct_test";
/** Small, so that a test's folder is made quickly. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

/** A disk whose syncs a test can delay or fail. */
export class TestDisk {
  syncDelayMs = 0;
  failure: Error | null = null;
  /** While set, syncs wait for it. */
  gate: Promise<void> | null = null;
  readonly port: Disk = {
    ...NODE_DISK,
    datasync: async (file) => {
      if (this.gate !== null) await this.gate;
      if (this.syncDelayMs > 0) await delay(this.syncDelayMs);
      if (this.failure !== null) throw this.failure;
      await NODE_DISK.datasync(file);
    },
  };
}

export interface Open {
  readonly exchange: string;
  readonly account: string;
  readonly body: Buffer;
  readonly headers: HeaderPairs;
  readonly network: OpenNetwork;
}

export interface Close {
  readonly exchange: string;
  readonly body: Buffer;
  readonly headers: HeaderPairs;
  readonly figures: CloseFigures;
}

/** Sees what goes into the real writer, and when each record has become durable. */
export class Watched implements RecordWriter {
  readonly opens: Open[] = [];
  readonly closes: Close[] = [];
  durableOpens = 0;
  durableCloses = 0;
  readonly #writer: LogWriter;

  constructor(writer: LogWriter) {
    this.#writer = writer;
  }

  get healthy(): boolean {
    return this.#writer.healthy;
  }

  appendThen(draft: RecordDraft, settled: (error: Error | null) => void): void {
    const isOpen = draft.kind === "open";
    this.#writer.appendThen(draft, (error) => {
      if (error === null && isOpen) this.durableOpens += 1;
      else if (error === null) this.durableCloses += 1;
      settled(error);
    });
    const [first, second, third] = draft.fields.map((field) => Buffer.from(field));
    const parsed = (bytes: Buffer | undefined): never =>
      JSON.parse((bytes ?? Buffer.alloc(0)).toString()) as never;
    if (draft.kind === "open") {
      const { exchange, account } = draft;
      this.opens.push({
        exchange,
        account,
        body: first ?? Buffer.alloc(0),
        headers: parsed(second),
        network: parsed(third),
      });
    } else if (draft.kind === "close") {
      this.closes.push({
        exchange: draft.exchange,
        body: first ?? Buffer.alloc(0),
        headers: parsed(second),
        figures: parsed(third),
      });
    }
  }
}

export interface Harness {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly keyId: string;
  readonly upstream: Upstream;
  readonly log: Watched;
  readonly writer: LogWriter;
  readonly disk: TestDisk;
  readonly state: State;
  readonly directory: KeyDirectory;
  readonly metrics: GatewayMetrics;
  readonly worker: RunningWorker;
  readonly folder: string;
  /** Lines that the worker wrote to its diagnostics. */
  readonly diagnostics: string[];
  /** The one close record there is, once there is one. */
  closed(): Promise<Close>;
}

export interface HarnessOptions {
  readonly upstream?: Behaviour;
  readonly upstreamUrl?: string;
  readonly gateway?: Record<string, unknown>;
  readonly limits?: Record<string, number>;
}

/** Starts it all; the test's end stops it all. */
export async function start(t: TestContext, options: HarnessOptions = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-gateway-"));
  const upstream = await startUpstream(options.upstream);
  const state = await State.open({ folder });
  await state.accounts.ensure(facts(ACCOUNT));
  const { id, secret } = await state.keys.create({ account: ACCOUNT, label: "test" });
  const directory = await KeyDirectory.open(state, { refreshMs: 20 });
  const keys = await Keyring.open({ folder });
  const disk = new TestDisk();
  const writer = await LogWriter.open({
    folder,
    writer: "gateway-0",
    keys,
    segmentBytes: SEGMENT_BYTES,
    disk: disk.port,
    recoverEveryMs: 0,
  });
  const log = new Watched(writer);
  const diagnostics: string[] = [];
  const worker = await startWorker({
    config: gatewayConfig(options.upstreamUrl ?? upstream.url, options),
    writer: log,
    directory,
    log: pino({ level: "info" }, { write: (line: string) => diagnostics.push(line) }),
    readSecret: (reference) => readSecret(reference, { env: { [UPSTREAM_KEY_VARIABLE]: UPSTREAM_KEY } }),
    accountOfUpstreamKey: (key) => `acct_${keys.pseudonymOf(key).slice(2)}`,
  });
  t.after(async () => {
    await worker.close();
    await upstream.close();
    await writer.close().catch(() => {});
    directory.close();
    await state.close();
    keys.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    url: `http://127.0.0.1:${worker.port}`,
    port: worker.port,
    key: secret,
    keyId: id,
    upstream,
    log,
    writer,
    disk,
    state,
    directory,
    metrics: worker.metrics,
    worker,
    folder,
    diagnostics,
    closed: async () => {
      await until(() => log.closes.length > 0);
      const [close] = log.closes;
      if (close === undefined || log.closes.length > 1)
        throw new Error(`expected one close record, got ${log.closes.length}`);
      return close;
    },
  };
}

function gatewayConfig(url: string, options: HarnessOptions): GatewayConfig {
  return gatewaySection.parse({
    listen: { port: 0 },
    upstreams: [{ name: "test", family: "any", url, key: { env: UPSTREAM_KEY_VARIABLE } }],
    ...options.gateway,
    limits: { drainTimeoutMs: 200, ...options.limits },
  });
}

function facts(account: string): Parameters<State["accounts"]["ensure"]>[0] {
  const unknown = { created: null, plan: null, payment: null, emailDomain: null };
  return { account, ...unknown, country: null, organization: null, declaredUse: null };
}

/** Waits until `condition` holds, at most `withinMs`. */
export async function until(condition: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`expected ${condition.toString()} within ${withinMs} ms`);
    await delay(5);
  }
}

/** A signal that a test opens by hand. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
