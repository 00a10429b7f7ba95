// A real Redis for a test, on a port of its own; stopped, or killed in the middle, by its process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureSystemPackages } from "../../scripts/system-packages.ts";
import { freePort } from "./free-port.ts";

export interface RunningRedis {
  readonly url: string;
  /** As a crash ends it: at once. Safe to call again. */
  kill(): Promise<void>;
  /** Starts again on the same port, with nothing in it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

export async function startRedis(): Promise<RunningRedis> {
  ensureSystemPackages();
  const folder = await mkdtemp(join(tmpdir(), "adyton-redis-"));
  const port = await freePort();
  let child = await launch(folder, port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    restart: async () => {
      await kill();
      child = await launch(folder, port);
    },
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, port: number): Promise<ChildProcess> {
  const settings = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    folder,
  ];
  const child = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!said.includes("Ready to accept connections")) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}: ${said}`);
    if (Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`redis-server was not up after ${START_TIMEOUT_MS} ms: ${said}`);
    }
    await sleep(20);
  }
  return child;
}
