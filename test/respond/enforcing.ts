// A gateway worker that enforces, with everything real around it: state, log, verdict table, budgets, appeals.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { pino } from "pino";
import { openEnforcement } from "../../src/cli/serve/enforcement.ts";
import { gatewaySection } from "../../src/config/gateway-section.ts";
import { respondSection } from "../../src/config/respond-section.ts";
import { unknownAccount } from "../../src/core/account.ts";
import type { Measure } from "../../src/core/measure.ts";
import { type RunningWorker, startWorker } from "../../src/gateway/worker.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { KeyDirectory } from "../../src/state/key-directory.ts";
import { State } from "../../src/state/state.ts";
import { Watched } from "../gateway/harness.ts";
import { type Behaviour, startUpstream, type Upstream } from "../helpers/upstream.ts";

const DAY_MS = 86_400_000;
const SEGMENT_BYTES = 4 * 1024 * 1024;

export interface Enforcing {
  readonly url: string;
  readonly state: State;
  readonly upstream: Upstream;
  readonly log: Watched;
  /** The test's end closes it too. */
  readonly worker: RunningWorker;
  /** The key of an account, which is made where it is new. */
  key(account: string, organization?: string | null): Promise<string>;
  /** Puts a measure into effect for these accounts; resolves when the gateway has it. Returns verdict and references. */
  measure(
    measure: Measure,
    accounts: readonly string[],
  ): Promise<{ verdict: string; references: Map<string, string> }>;
  /** Resolves when the gateway knows what the state knows now. */
  settled(): Promise<void>;
}

export interface EnforcingOptions {
  readonly respond?: Record<string, unknown>;
  readonly upstream?: Behaviour;
  readonly drainTimeoutMs?: number;
  /** A state that others use as well, and close; its own by default. */
  readonly state?: State;
}

/** Starts it all; the test's end stops it all. `respond` in enforce mode unless it says otherwise. */
export async function startEnforcing(
  t: TestContext,
  { respond = {}, upstream: behaviour, drainTimeoutMs = 200, state: given }: EnforcingOptions = {},
): Promise<Enforcing> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-enforcing-"));
  const upstream = await startUpstream(behaviour);
  const state = given ?? (await State.open({ folder }));
  const directory = await KeyDirectory.open(state, { refreshMs: 20 });
  const keys = await Keyring.open({ folder });
  const writer = await LogWriter.open({ folder, writer: "gateway-0", keys, segmentBytes: SEGMENT_BYTES });
  const log = new Watched(writer);
  const silent = pino({ level: process.env["ADYTON_TEST_LOG"] ?? "silent" });
  const config = respondSection.parse({ mode: "enforce", pollMs: 20, ...respond });
  const enforcement = await openEnforcement({ config, state, directory, writer, log: silent });
  const worker = await startWorker({
    config: gatewaySection.parse({
      listen: { port: 0 },
      upstreams: [{ name: "test", family: "any", url: upstream.url }],
      limits: { drainTimeoutMs },
    }),
    ...{ writer: log, directory, log: silent, measures: enforcement.measures, appeals: enforcement.appeals },
    readSecret: async () => "",
    accountOfUpstreamKey: (key) => key,
  });
  t.after(async () => {
    await worker.close();
    enforcement.close();
    await upstream.close();
    await writer.close();
    directory.close();
    if (given === undefined) await state.close();
    keys.close();
    await rm(folder, { recursive: true, force: true });
  });
  const settled = async (): Promise<void> => {
    await enforcement.settled();
    await directory.refresh();
  };
  return {
    url: `http://127.0.0.1:${worker.port}`,
    ...{ state, upstream, log, worker, settled },
    key: async (account, organization = null) => {
      await state.accounts.ensure({ ...unknownAccount(account), organization });
      const { secret } = await state.keys.create({ account, label: "test" });
      await settled();
      return secret;
    },
    measure: async (measure, accounts) => {
      const { id } = await state.verdicts.propose({
        ...{ measure, reason: "unusual-use", shadow: false, lifeMs: DAY_MS, inheritLimit: 100 },
        ...{ accounts, by: "user:ada", finding: "campaign-1", detector: "campaign/test" },
      });
      await state.verdicts.approve(id, { by: "user:ada", note: "for a test", effectiveMs: 0 });
      await settled();
      const members = await state.verdicts.members(id, { limit: 1000 });
      return { verdict: id, references: new Map(members.map((one) => [one.account, one.reference])) };
    },
  };
}
