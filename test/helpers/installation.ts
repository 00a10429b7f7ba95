// Runs the real `adyton serve` for a test, in a folder of its own, and stops it by its process.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface Welcome {
  readonly gateway: string;
  readonly console: string;
  readonly signIn: string;
  readonly key: string | null;
}

export interface RunningInstallation {
  readonly folder: string;
  readonly configFile: string;
  readonly welcome: Welcome;
  readonly process: ChildProcess;
  /** Process ids of the parts that are up now, by name. */
  parts(): Promise<Map<string, number>>;
  diagnostics(): string;
  /** SIGINT, as Ctrl-C sends it; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export async function temporaryFolder(prefix: string): Promise<string> {
  return await mkdtemp(join(tmpdir(), `adyton-${prefix}-`));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Runs one command of `adyton` to its end. */
export async function adyton(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

/** Writes `config` beside the data folder and waits until everything is up. */
export async function startInstallation(
  folder: string,
  config: Record<string, unknown>,
): Promise<RunningInstallation> {
  const configFile = join(folder, "adyton.yaml");
  const data = join(folder, "data");
  await writeFile(configFile, JSON.stringify({ data, ...config })); // JSON is YAML
  return await serve(["--config", configFile], { data, configFile, env: {} });
}

/** Serves a data folder that is there already, with the default configuration. */
export async function serveFolder(data: string, env: Record<string, string>): Promise<RunningInstallation> {
  return await serve(["--data", data], { data, configFile: "", env });
}

async function serve(
  args: readonly string[],
  { data, configFile, env }: { data: string; configFile: string; env: Record<string, string> },
): Promise<RunningInstallation> {
  const child = spawn(process.execPath, [COMMAND, "serve", "--json", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err = (err + text).slice(-1_000_000);
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const deadline = Date.now() + START_TIMEOUT_MS;
  let welcome: Welcome | null = null;
  while (welcome === null) {
    try {
      welcome = JSON.parse(out) as Welcome; // the welcome is the only thing it prints
    } catch {
      if (child.exitCode !== null) throw new Error(`adyton serve ended with ${child.exitCode}: ${err}`);
      if (Date.now() > deadline) {
        child.kill("SIGKILL");
        throw new Error(`adyton serve was not up after ${START_TIMEOUT_MS} ms: ${err}`);
      }
      await sleep(50);
    }
  }
  return {
    folder: data,
    configFile,
    welcome,
    process: child,
    diagnostics: () => err,
    parts: async () => await partsOf(data),
    stop: async () => {
      child.kill("SIGINT");
      return await exited;
    },
  };
}

async function partsOf(data: string): Promise<Map<string, number>> {
  const text = await readFile(join(data, "run", "processes.json"), "utf8");
  const { processes } = JSON.parse(text) as {
    processes: { name: string; pid: number | null; state: string }[];
  };
  const up = processes.flatMap(({ name, pid, state }) =>
    pid !== null && state === "ready" ? [[name, pid] as const] : [],
  );
  return new Map(up);
}
