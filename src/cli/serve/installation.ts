// Puts the running installation together: checks the ground, starts the parts in order, welcomes, stops in order.
import { renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { DataFolder } from "../../config/data-folder.ts";
import type { Listen } from "../../config/fields.ts";
import type { Upstream } from "../../config/gateway-section.ts";
import type { Config } from "../../config/schema.ts";
import { FolderLock } from "../../log/folder-lock.ts";
import { Keyring } from "../../log/keyring.ts";
import { loadPolicy } from "../../respond/policy.ts";
import { keepWindowsForWorkers } from "../../state/shared-windows.ts";
import type { Context } from "../context.ts";
import { CliError } from "../errors.ts";
import { launchPart, launchWorker } from "./launch.ts";
import type { Role } from "./messages.ts";
import { StateSource } from "./state-source.ts";
import { type PartSpec, Supervisor } from "./supervisor.ts";
import { makeSecrets, printWelcome } from "./welcome.ts";

/** Requests end before what records them: the ledger goes last and seals what the others wrote. */
const STOP_ORDER: readonly Role[] = ["gateway", "sample", "analyst", "ledger"];
const STATUS_EVERY_MS = 1_000;
const PART_STOP_TIMEOUT_MS = 20_000;

/** Runs until SIGINT or SIGTERM. @throws CliError `already-running`, `port-taken` before anything is started */
export async function runInstallation(context: Context, { welcome }: { welcome: boolean }): Promise<void> {
  const { config } = context;
  const folder = await DataFolder.create(config.data);
  const lock = FolderLock.acquire(join(folder.run, "serve.lock"));
  if (lock === null) {
    const message = `expected ${folder.root} to be free, got another adyton serve on it; stop that one or choose --data`;
    throw new CliError("already-running", message);
  }
  try {
    await expectFree(config.gateway.listen, "gateway.listen");
    await expectFree(config.console.listen, "console.listen");
    // A policy that can't be used would show as an analyst that dies again and again; say so at once instead.
    await loadPolicy(config.respond.policy);
    const hasState = await prepare(folder, config);
    const log = pino({ level: config.diagnostics.level, base: { part: "supervisor" } }, pino.destination(2));
    await runParts(context, { folder, log, welcome: welcome && hasState });
  } finally {
    lock.release();
  }
}

/** A port that is taken would show as a part that dies again and again; say so at once instead. */
async function expectFree({ host, port }: Listen, setting: string): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause) => {
      const message = `expected ${host} port ${port} to be free, got: ${cause.message}; choose another in ${setting}.port`;
      reject(new CliError("port-taken", message, { cause }));
    });
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

/**
 * Keys and tables are made here, once, before several processes open them together. False: the state is away, and
 * gateways start from this machine's last known copy. @throws StateError when there is no such copy either
 */
async function prepare(folder: DataFolder, config: Config): Promise<boolean> {
  const keys = await Keyring.open({ folder: folder.root });
  try {
    const source = await StateSource.open({
      ...{ name: "supervisor", config, keys },
      log: pino({ level: "silent" }),
    });
    await source.close();
    return !source.isCopy;
  } finally {
    await keys.close();
  }
}

interface RunOptions {
  readonly folder: DataFolder;
  readonly log: Logger;
  readonly welcome: boolean;
}

async function runParts(context: Context, { folder, log, welcome }: RunOptions): Promise<void> {
  const { config, output } = context;
  if (config.respond.redis === null) keepWindowsForWorkers();
  const details = new Map<string, string>();
  const supervisor = new Supervisor({
    log,
    restart: config.processes,
    nowMs: Date.now,
    onReady: (name, detail) => {
      details.set(name, detail);
      shareStatus(supervisor, folder);
    },
  });
  const told = new Promise<"told">((resolve) => stopSignals(supervisor, () => resolve("told"), log));
  const statusTimer = setInterval(() => shareStatus(supervisor, folder), STATUS_EVERY_MS);

  output.note("Starting …");
  const usesSample = config.gateway.upstreams.length === 0;
  const secrets = welcome ? await makeSecrets(folder, config, { usesSample }) : null;
  // Ctrl-C works while parts are still starting, too.
  if ((await Promise.race([startParts(supervisor, config), told])) !== "told") {
    shareStatus(supervisor, folder);
    const addresses = { gateway: details.get("gateway-0") ?? "", console: details.get("analyst") ?? "" };
    printWelcome({ folder, config, output, addresses, secrets });
    await told;
  }
  clearInterval(statusTimer);
  output.note("Stopping: finishing exchanges in flight, sealing the log …");
  await supervisor.stop(STOP_ORDER);
  output.note("Stopped.");
}

/** Resolves when every part has said that it is ready. */
async function startParts(supervisor: Supervisor, config: Config): Promise<void> {
  const part = (name: string, role: Role, start: PartSpec["start"]): Promise<void> => {
    const drainMs = role === "gateway" ? config.gateway.limits.drainTimeoutMs : 0;
    return supervisor.add({ name, role, start, stopTimeoutMs: PART_STOP_TIMEOUT_MS + drainMs });
  };
  const starting: Promise<void>[] = [];
  let served = config;
  if (config.gateway.upstreams.length === 0) {
    const samplePort = await freePort();
    const sampleConfig = withUpstreams(config, [sampleUpstream("sample", samplePort, "any")]);
    starting.push(part("sample", "sample", () => launchPart("sample", "sample", sampleConfig)));
    served = withUpstreams(config, sampleUpstreams(samplePort));
  }
  starting.push(part("ledger", "ledger", () => launchPart("ledger", "ledger", served)));
  const workers = config.gateway.workers ?? availableParallelism();
  for (let index = 0; index < workers; index++) {
    const name = `gateway-${index}`;
    starting.push(part(name, "gateway", () => launchWorker(name, served)));
  }
  starting.push(part("analyst", "analyst", () => launchPart("analyst", "analyst", served)));
  await Promise.all(starting);
}

function stopSignals(supervisor: Supervisor, stop: () => void, log: Logger): void {
  let asked = false;
  const hear = (): void => {
    if (asked) {
      log.warn("stopped at once; what was acknowledged is kept");
      for (const { pid } of supervisor.status()) if (pid !== null) process.kill(pid, "SIGKILL");
      process.exit(130);
    }
    asked = true;
    stop();
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
}

/** The analyst shows it, `adyton doctor` and tests read the file. Worthless once nothing runs. */
function shareStatus(supervisor: Supervisor, folder: DataFolder): void {
  const processes = supervisor.status();
  supervisor.send("analyst", { type: "status", processes, counters: supervisor.counters() });
  const path = join(folder.run, "processes.json");
  writeFileSync(`${path}.new`, `${JSON.stringify({ supervisor: process.pid, processes })}\n`);
  renameSync(`${path}.new`, path); // readers see the old status or the new, never half
}

function withUpstreams(config: Config, upstreams: readonly Upstream[]): Config {
  return { ...config, gateway: { ...config.gateway, upstreams } };
}

function sampleUpstreams(port: number): Upstream[] {
  const families = ["openai", "anthropic", "ollama", "v2"] as const;
  return families.map((family) => sampleUpstream(`sample-${family}`, port, family));
}

function sampleUpstream(name: string, port: number, family: Upstream["family"]): Upstream {
  const url = `http://127.0.0.1:${port}`;
  return { name, family, url, key: null, keyHeader: null, models: [], connections: 256 };
}

/** A port for the sample model that stays the same when its process is started again. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new TypeError("expected a TCP address");
  return address.port;
}
