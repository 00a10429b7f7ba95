// The analyst as a process: the embedded engine, what fills it, detection, and the API with the console.
import { chmod, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import type { Logger } from "pino";
import { createApi } from "../../api/app.ts";
import { IdentityProvider } from "../../api/identity-provider.ts";
import { EXPORTS_FOLDER } from "../../api/routes/case-export.ts";
import type { ApiOptions, Identity } from "../../api/services.ts";
import { DataFolder } from "../../config/data-folder.ts";
import type { Config } from "../../config/schema.ts";
import { exportFacts } from "../../evidence/export-facts.ts";
import { Keyring } from "../../log/keyring.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { witnessEndpoints } from "../../log/witness-client.ts";
import { LogWriter } from "../../log/writer.ts";
import { END_USER_PURPOSE } from "../../state/end-user-keys.ts";
import { State } from "../../state/state.ts";
import { Store } from "../../store/store.ts";
import { recorderOf } from "../act.ts";
import { DerivationPool } from "../derive-pool.ts";
import { derivedVersion, otherRows } from "../features.ts";
import { type LiveHunter, openLiveHunter } from "../hunter.ts";
import { Pump } from "../pump.ts";
import { storeOptions } from "../store-options.ts";
import { Analysis } from "./analysis.ts";
import { componentsOf } from "./components.ts";
import type { StatusMessage } from "./messages.ts";
import type { Part, PartContext } from "./part.ts";
import { prometheusText } from "./prometheus.ts";
import { Response } from "./response.ts";
import { lastKnownOf } from "./state-source.ts";

const CONSOLE_FOLDER = fileURLToPath(new URL("../../../dist/console/", import.meta.url));
/** Acts and looks at content: little, so the segments are small. */
const SEGMENT_BYTES = 1024 * 1024;
/** Time between two looks whether the copy of the state is still right, milliseconds. */
const COPY_EVERY_MS = 1000;

/** Whoever may open the socket file is the operator of this machine. */
const LOCAL_OPERATOR: Identity = {
  name: "local",
  role: "admin",
  actor: "cli:local",
  expiresMs: null,
  scopes: null,
};

export async function start({ config, log }: PartContext): Promise<Part> {
  const parts = await openParts(config, log);
  await rm(join(parts.folder.run, EXPORTS_FOLDER), { recursive: true, force: true });
  const response = await responseOf(parts, config, log);
  const stop = new AbortController();
  const analysis = analysisOf(parts, response, await hunterOf(parts, config, log), {
    ...{ config, log },
    signal: stop.signal,
  });
  let heard: StatusMessage = { type: "status", processes: [], counters: {} };
  const services: ApiOptions = {
    ...parts,
    log: parts.sealed,
    config,
    consoleFolder: CONSOLE_FOLDER,
    hunt: config.detect.enabled ? () => analysis.hunt() : null,
    components: () => componentsOf(heard),
    metrics: () => prometheusText(heard.counters, analysis.counters),
    endUserMaster: parts.keys.purposeKey(END_USER_PURPOSE),
    ...providerOf(config),
    response: response.port,
    exportFacts: () => exportFacts({ ...parts, config }),
    diagnostics: log,
    clock: Date.now,
  };
  const web = await serverOf(services);
  const local = await serverOf({ ...services, consoleFolder: null, identityOf: () => LOCAL_OPERATOR });
  await listen(web, config.console.listen);
  await listenOnSocket(local, join(parts.folder.run, "adyton.sock"));

  const running = analysis.run();
  const keeping = keepLastKnown(parts, config, { log, signal: stop.signal });
  response.start();
  const { host, port } = config.console.listen;
  return {
    detail: `http://${host.includes(":") ? `[${host}]` : host}:${portOf(web) ?? port}`,
    hear: (message) => {
      if (message.type === "status") heard = message;
    },
    close: async () => {
      stop.abort();
      await Promise.all([closeServer(web), closeServer(local)]);
      await running;
      await keeping;
      await response.close();
      await closeParts(parts);
    },
  };
}

/** Until the signal: the copy with which gateways of this machine start while the shared state is away. */
async function keepLastKnown(
  { state, keys }: Parts,
  config: Config,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  const lastKnown = lastKnownOf(config, keys);
  while (lastKnown !== null && !signal.aborted) {
    const startedMs = performance.now();
    await lastKnown
      .keep(state)
      .catch((error: unknown) => log.error({ err: error }, "the last known state could not be copied"));
    // Copying all of a big state takes seconds: it may take a twentieth of the time.
    const pauseMs = Math.max(COPY_EVERY_MS, 20 * (performance.now() - startedMs));
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}

function providerOf({ console: { provider, publicUrl } }: Config): Pick<ApiOptions, "provider"> {
  // The schema demands the URL where there is a provider.
  if (provider === null || publicUrl === null) return {};
  return { provider: new IdentityProvider(provider, { publicUrl, now: Date.now }) };
}

/** What the process holds open. */
interface Parts {
  readonly folder: DataFolder;
  readonly keys: Keyring;
  readonly state: State;
  readonly writer: LogWriter;
  readonly sealed: SealedLog;
  readonly store: Store;
  /** On threads of its own, so that the API answers while exchanges are decrypted and decoded. */
  readonly deriver: DerivationPool;
}

async function openParts(config: Config, log: Logger): Promise<Parts> {
  const folder = new DataFolder(config.data);
  const root = folder.root;
  const keys = await Keyring.open({ folder: root });
  const { origin } = config.log;
  const { embeddingModel } = config.detect;
  const version = await derivedVersion(embeddingModel, keys);
  const witnessKeys = witnessEndpoints(config.log.witnesses).flatMap((witness) => witness.keys);
  const store = await Store.open({ folder: folder.store, ...(await storeOptions(config.store)) });
  const others = await otherRows(store, version);
  if (others > 0) log.warn({ rows: others, version }, "rows of other versions: run adyton store rebuild");
  return {
    folder,
    keys,
    store,
    state: await State.open({ folder: root, config: config.state }),
    writer: await LogWriter.open({ folder: root, writer: "api", keys, segmentBytes: SEGMENT_BYTES }),
    sealed: await SealedLog.open({ folder: root, keys, origin, witnesses: witnessKeys }),
    deriver: new DerivationPool({
      folder: root,
      origin,
      embeddingModel,
      onFailure: (index, error) => log.error({ leaf: index, err: error }, "an exchange left no features"),
    }),
  };
}

async function closeParts({ deriver, store, sealed, writer, state, keys }: Parts): Promise<void> {
  await deriver.close();
  await store.close();
  sealed.close();
  await writer.close();
  await state.close();
  keys.close();
}

async function responseOf({ state, store, writer }: Parts, config: Config, log: Logger): Promise<Response> {
  const record = recorderOf(writer, { by: "system" });
  return await Response.open({ config, state, store, record, log, clock: Date.now });
}

function analysisOf(
  parts: Parts,
  response: Response,
  hunter: LiveHunter | null,
  { config, log, signal }: { config: Config; log: Logger; signal: AbortSignal },
): Analysis {
  const { sealed, store, deriver, state, writer } = parts;
  return new Analysis({
    pump: new Pump({ log: sealed, store, deriver }),
    hunter,
    keep: async (findings) => {
      await state.findings.upsert(findings, { record: recorderOf(writer, { by: "system" }) });
      await response.hunted(findings);
    },
    tickMs: config.detect.tickMs,
    clock: Date.now,
    log,
    signal,
  });
}

async function serverOf(options: ApiOptions): Promise<Server> {
  return createAdaptorServer({ fetch: (await createApi(options)).fetch }) as Server; // no TLS here: node:http's
}

/** Most findings that are remembered from earlier runs; the newest. */
const MAX_PREVIOUS = 1_000;

async function hunterOf(
  { store, state }: Parts,
  { detect }: Config,
  log: Logger,
): Promise<LiveHunter | null> {
  if (!detect.enabled) return null;
  const { items } = await state.findings.list({ limit: MAX_PREVIOUS });
  return await openLiveHunter({
    store,
    config: detect,
    previous: items.map(({ finding }) => finding),
    onFailure: (detector, error) => log.error({ detector, err: error }, "a detector did not finish"),
  });
}

async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
}

/** A socket file that a killed process left behind would refuse the next one; the supervisor's lock says it is ours. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
}

function portOf(server: Server): number | null {
  const address = server.address();
  return address === null || typeof address === "string" ? null : address.port;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
