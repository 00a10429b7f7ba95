// The checks of `adyton doctor`: each looks at one thing and says what to do about it.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, open, readFile, rm, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { z } from "zod";
import type { DataFolder } from "../config/data-folder.ts";
import type { Listen } from "../config/fields.ts";
import type { Config } from "../config/schema.ts";
import type { ProcessStatus } from "./serve/messages.ts";

export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do; empty when all is well. */
  readonly advice: string;
}

export type Probe = (ground: { config: Config; folder: DataFolder }) => Promise<Check>;

const GIB = 1024 ** 3;
const NEEDED_MAJOR = 24;
const DISK_FAIL_BYTES = 1 * GIB;
const DISK_WARN_BYTES = 10 * GIB;
const SYNC_WARN_MS = 20;
const SYNC_TRIALS = 8;
const CHDB_TIMEOUT_MS = 60_000;

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail, advice: "" });

const runtime: Probe = async () => {
  const { version, versions } = process;
  if (Number(versions.node.split(".")[0]) >= NEEDED_MAJOR) return ok("runtime", `Node ${version}`);
  return {
    name: "runtime",
    status: "fail",
    detail: `Node ${version}`,
    advice: "Run npm ci, which brings Node 24.",
  };
};

const dataFolder: Probe = async ({ folder }) => {
  const name = "data folder";
  const found = await stat(folder.root).catch(() => null);
  if (found === null) {
    const parent = await nearest(folder.root);
    const writable = await mayWrite(parent);
    if (writable) return ok(name, `${folder.root} (made at the first start)`);
    const advice = `Make ${parent} writable for this user, or choose another folder with --data.`;
    return { name, status: "fail", detail: `${parent} is not writable`, advice };
  }
  if (!found.isDirectory()) {
    return {
      name,
      status: "fail",
      detail: `${folder.root} is not a folder`,
      advice: "Choose another with --data.",
    };
  }
  if (!(await mayWrite(folder.root))) {
    const advice = "Run as the user who owns the folder, or give it to this user.";
    return { name, status: "fail", detail: `${folder.root} is not writable`, advice };
  }
  if ((found.mode & 0o077) === 0) return ok(name, folder.root);
  return {
    name,
    status: "warn",
    detail: `${folder.root} is open to other users`,
    advice: `chmod 700 ${folder.root}`,
  };
};

const keyFiles: Probe = async ({ folder }) => {
  const name = "key files";
  const loose: string[] = [];
  let present = 0;
  for (const path of [folder.installationKey, folder.accountKeys]) {
    const found = await stat(path).catch(() => null);
    if (found === null) continue;
    present++;
    if ((found.mode & 0o077) !== 0) loose.push(path);
  }
  if (present === 0) return ok(name, "none yet (made at the first start)");
  if (loose.length === 0) return ok(name, "readable by their owner only");
  const advice = `chmod 600 ${loose.join(" ")}; if others could read them, treat the content as readable by them.`;
  return { name, status: "fail", detail: "other users may read them", advice };
};

const disk: Probe = async ({ folder }) => {
  const name = "free disk";
  const { bavail, bsize } = await statfs(await nearest(folder.root));
  const free = bavail * bsize;
  const detail = `${(free / GIB).toFixed(1)} GiB`;
  const advice =
    "Free some space or move the data folder: a full disk stops the log, and with it the gateway.";
  if (free < DISK_FAIL_BYTES) return { name, status: "fail", detail, advice };
  return free < DISK_WARN_BYTES ? { name, status: "warn", detail, advice } : ok(name, detail);
};

/** The guarantee of the log rests on the disk keeping what it says it has kept; how long that takes is every answer's delay. */
const sync: Probe = async ({ folder }) => {
  const name = "fdatasync";
  const parent = await nearest(folder.root);
  const path = join(parent, `.adyton-doctor-${randomUUID()}`);
  try {
    const file = await open(path, "wx", 0o600);
    const times: number[] = [];
    try {
      for (let trial = 0; trial < SYNC_TRIALS; trial++) {
        const started = performance.now();
        await file.write(Buffer.alloc(4096, trial + 1));
        await file.datasync();
        times.push(performance.now() - started);
      }
    } finally {
      await file.close();
    }
    const median = times.sort((a, b) => a - b)[SYNC_TRIALS / 2] ?? 0;
    const detail = `${median.toFixed(2)} ms in the median of ${SYNC_TRIALS}`;
    if (median <= SYNC_WARN_MS) return ok(name, detail);
    const advice = "Every answer waits for this. Put the data folder on a local SSD.";
    return { name, status: "warn", detail, advice };
  } catch (error) {
    const advice = "Put the data folder on a local file system that can sync.";
    return { name, status: "fail", detail: messageOf(error), advice };
  } finally {
    await rm(path, { force: true });
  }
};

/** In a process of its own, so that a library that can't load takes nothing with it. */
const engine: Probe = async ({ config }) => {
  const name = "analytical engine";
  if (config.store.url !== null) return ok(name, `ClickHouse server at ${config.store.url} (not asked)`);
  const script = `const { query } = await import("chdb"); process.stdout.write(String(query("select version()", "TSVRaw")).trim());`;
  const { code, output } = await run(
    process.execPath,
    ["--input-type=module", "-e", script],
    CHDB_TIMEOUT_MS,
  );
  if (code === 0) return ok(name, `embedded ClickHouse ${output}`);
  const advice =
    "Run npm ci with install scripts allowed (npm approve-scripts chdb), or configure store.url.";
  return { name, status: "fail", detail: "chDB does not load", advice };
};

const READY: ProcessStatus["state"] = "ready";

const processFile = z.object({
  supervisor: z.number().int().positive(),
  processes: z.array(z.object({ name: z.string(), state: z.string() })).max(1000),
});

/** What `adyton serve` says of its parts, or null when it is not running on this data folder. */
async function running(folder: DataFolder): Promise<z.output<typeof processFile> | null> {
  const text = await readFile(join(folder.run, "processes.json"), "utf8").catch(() => "null");
  const parsed = processFile.safeParse(parsedJson(text));
  if (!parsed.success) return null;
  try {
    process.kill(parsed.data.supervisor, 0);
    return parsed.data;
  } catch (error) {
    // EPERM: it is there, and it is another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM" ? parsed.data : null;
  }
}

const processes: Probe = async ({ folder }) => {
  const name = "processes";
  const found = await running(folder);
  if (found === null) return ok(name, "adyton serve is not running on this data folder");
  const ill = found.processes.filter(({ state }) => state !== READY);
  if (ill.length === 0) return ok(name, `${found.processes.length} ready`);
  const detail = ill.map((part) => `${part.name} is ${part.state}`).join(", ");
  return {
    name,
    status: "warn",
    detail,
    advice: "They restart by themselves; the output of adyton serve says why they ended.",
  };
};

const ports: Probe = async ({ config, folder }) => {
  const name = "ports";
  if ((await running(folder)) !== null) return ok(name, "in use by the running installation");
  const taken: string[] = [];
  for (const { host, port } of [config.gateway.listen, config.console.listen]) {
    if (!(await isFree({ host, port }))) taken.push(`${host}:${port}`);
  }
  const wanted = `${config.gateway.listen.port} and ${config.console.listen.port}`;
  if (taken.length === 0) return ok(name, `${wanted} are free`);
  const advice = "Another program has them. Change gateway.listen.port or console.listen.port.";
  return { name, status: "warn", detail: `in use: ${taken.join(", ")}`, advice };
};

const builtConsole: Probe = async () => {
  const name = "console";
  const index = new URL("../../dist/console/index.html", import.meta.url);
  const packaged = new URL("../console/index.html", import.meta.url);
  for (const url of [index, packaged])
    if ((await stat(url).catch(() => null)) !== null) return ok(name, "built");
  const advice = "npm start builds it; or run node scripts/build-console.ts.";
  return { name, status: "warn", detail: "not built", advice };
};

const chromium: Probe = async () => {
  const name = "Chromium";
  for (const command of ["chromium", "chromium-browser", "google-chrome"]) {
    const path = await find(command);
    if (path !== null) return ok(name, path);
  }
  return { name, status: "ok", detail: "none; only the browser tests need it", advice: "" };
};

/** In the order in which they are printed. */
export const PROBES: readonly Probe[] = [
  runtime,
  dataFolder,
  keyFiles,
  disk,
  sync,
  engine,
  processes,
  ports,
  builtConsole,
  chromium,
];

/** The folder itself where it exists, else its nearest parent that does. */
async function nearest(path: string): Promise<string> {
  let here = path;
  while ((await stat(here).catch(() => null)) === null && dirname(here) !== here) here = dirname(here);
  return here;
}

async function mayWrite(path: string): Promise<boolean> {
  return await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isFree({ host, port }: Listen): Promise<boolean> {
  if (port === 0) return true;
  const server = createServer();
  return await new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function find(command: string): Promise<string | null> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).slice(0, 100)) {
    const path = join(folder, command);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

async function run(
  command: string,
  args: readonly string[],
  timeout: number,
): Promise<{ code: number; output: string }> {
  const cwd = new URL("../..", import.meta.url);
  const child = spawn(command, args, { cwd, timeout, stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(0, 1000);
  });
  return await new Promise((resolve) => {
    child.once("error", () => resolve({ code: -1, output }));
    child.once("close", (code) => resolve({ code: code ?? -1, output }));
  });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
