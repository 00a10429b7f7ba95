// A whole installation in a temporary folder for tests of the API and the console: every part is the real one.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { createApi } from "../../src/api/app.ts";
import type { Role } from "../../src/api/contract/session.ts";
import type { ApiOptions } from "../../src/api/services.ts";
import { featuresOf } from "../../src/cli/features.ts";
import { accountDraft, closeDraft, openDraft } from "../../src/cli/import/drafts.ts";
import { Pump } from "../../src/cli/pump.ts";
import { DataFolder } from "../../src/config/data-folder.ts";
import { logSection } from "../../src/config/log-section.ts";
import type { AccountFacts } from "../../src/core/account.ts";
import type { NeutralExchange } from "../../src/core/decode/neutral.ts";
import { type ExportFacts, exportFacts } from "../../src/evidence/export-facts.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { END_USER_PURPOSE } from "../../src/state/end-user-keys.ts";
import { State } from "../../src/state/state.ts";
import { Store } from "../../src/store/store.ts";

type Api = Awaited<ReturnType<typeof createApi>>;
const LINK_LIFE_MS = 60_000;
const SEGMENT_BYTES = 1024 * 1024;

export interface World {
  readonly folder: DataFolder;
  readonly state: State;
  readonly store: Store;
  readonly log: SealedLog;
  /** Options with which `api` was made; a test may make another app from them. */
  readonly options: ApiOptions;
  readonly api: Api;
  /** Writes exchanges and facts as the gateway and the import do, seals them and takes them into the store. */
  record(exchanges: readonly NeutralExchange[], facts?: readonly AccountFacts[]): Promise<void>;
  /** Seals what was written and takes it into the store. */
  settle(): Promise<void>;
  /** Token of a one-time sign-in link. */
  link(role: Role, user?: string): Promise<string>;
  /** Cookie header of a fresh session. */
  signIn(role: Role): Promise<string>;
  close(): Promise<void>;
}

const SEAL_PAUSE_MS = 20;

export async function openWorld(overrides: Partial<ApiOptions> = {}): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), "adyton-world-"));
  const folder = await DataFolder.create(root);
  const keys = await Keyring.open({ folder: root });
  const state = await State.open({ folder: root });
  const gateway = await LogWriter.open({
    folder: root,
    writer: "gateway-0",
    keys,
    segmentBytes: SEGMENT_BYTES,
  });
  const writer = await LogWriter.open({ folder: root, writer: "api", keys, segmentBytes: SEGMENT_BYTES });
  const ledger = await Ledger.open({ folder: root, keys });
  const log = await SealedLog.open({ folder: root, keys });
  const store = await Store.open({ folder: folder.store });
  const pump = new Pump({ log, store, features: featuresOf(keys) });
  const endUserMaster = keys.purposeKey(END_USER_PURPOSE);
  const base = standard({ state, log, writer, store, folder });
  const facts = (): Promise<ExportFacts> => exportFacts({ ...base, keys });
  const options = { ...base, endUserMaster, exportFacts: facts, ...overrides };
  const api = await createApi(options);
  const settle = async (): Promise<void> => {
    while ((await ledger.step()).sealed > 0);
    await pump.drain();
  };
  const link = async (role: Role, user: string = role): Promise<string> =>
    (await state.sessions.createLink({ user, role, lifeMs: LINK_LIFE_MS })).token;
  return {
    folder,
    state,
    store,
    log,
    options,
    api,
    settle,
    link,
    record: async (exchanges, facts = []) => {
      await state.accounts.ensureAll(facts);
      const drafts = [
        ...facts.map((each) => accountDraft(each, exchanges[0]?.openedAtMs ?? 0)),
        ...exchanges.flatMap((exchange) => [openDraft(exchange), closeDraft(exchange)]),
      ];
      await Promise.all(drafts.map((draft) => gateway.append(draft).durable));
      await settle();
    },
    signIn: async (role) => {
      const session = await state.sessions.redeem(await link(role), { lifeMs: LINK_LIFE_MS });
      if (session === null) throw new Error("expected the link to work, got a refusal");
      return `adyton_session=${session.token}`;
    },
    close: async () => {
      await gateway.close();
      await writer.close();
      ledger.close();
      log.close();
      await store.close();
      await state.close();
      await keys.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

type Parts = Pick<ApiOptions, "state" | "log" | "writer" | "store" | "folder">;

function standard(parts: Parts): ApiOptions {
  return {
    ...parts,
    config: {
      console: {
        listen: { host: "127.0.0.1", port: 0 },
        publicUrl: null,
        sessionMinutes: 60,
        signInLinkMinutes: 15,
        provider: null,
      },
      log: logSection.parse({}),
      evidence: { twoPersonFor: [] },
    },
    consoleFolder: null,
    hunt: null,
    diagnostics: pino({ level: process.env["ADYTON_TEST_LOG"] ?? "silent" }),
    clock: Date.now,
  };
}

/** Seals again and again, as the ledger does in a process of its own, until the returned function is called. */
export function sealMeanwhile(world: Pick<World, "settle">): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await world.settle();
      await sleep(SEAL_PAUSE_MS);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}
