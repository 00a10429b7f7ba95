// How each part's process is started: which file, with which environment, and where its answers go.
import { type ChildProcess, fork } from "node:child_process";
import cluster from "node:cluster";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import type { Config } from "../../config/schema.ts";
import { CONFIG_VARIABLE, NAME_VARIABLE, ROLE_VARIABLE, type Role } from "./messages.ts";

/** The source runs as .ts in a clone and as .js in the published package. */
const CHILD = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url),
);

function environment(name: string, role: Role, config: Config): Record<string, string> {
  const compiled = getCompileCacheDir();
  return {
    [NAME_VARIABLE]: name,
    [ROLE_VARIABLE]: role,
    [CONFIG_VARIABLE]: JSON.stringify(config),
    // A process that died should be back soon: it finds the compiled code that this process keeps.
    ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
  };
}

/** A part that listens nowhere, or alone. */
export function launchPart(name: string, role: Role, config: Config): ChildProcess {
  return fork(CHILD, [], { env: { ...process.env, ...environment(name, role, config) } });
}

/** A gateway worker: all of them share one listening socket, which this process keeps while they come and go. */
export function launchWorker(name: string, config: Config): ChildProcess {
  // Workers accept for themselves. Were connections handed out by this process (Node's default), one that is on its way
  // to a worker that dies would hang until its client gives up; now the kernel closes it, and the rest stay in line.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: CHILD, args: [] });
  return cluster.fork(environment(name, "gateway", config)).process;
}
