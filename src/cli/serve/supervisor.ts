// Keeps the processes of an installation alive: starts them, restarts them with backoff, stops them in order.
import type { ChildProcess } from "node:child_process";
import type { Logger } from "pino";
import type { Counters, FromChild, ProcessStatus, Role, ToChild } from "./messages.ts";

export interface RestartPolicy {
  /** Delay before the first restart, milliseconds; doubles with each early death. */
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** A process that lived this long, milliseconds, starts again from the first delay. */
  readonly stableAfterMs: number;
}

export interface PartSpec {
  readonly name: string;
  readonly role: Role;
  /** Starts the process. Called again for each restart. */
  readonly start: () => ChildProcess;
  /** Time the process gets to end by itself when asked to, milliseconds; then it is killed. */
  readonly stopTimeoutMs: number;
}

interface Part {
  readonly spec: PartSpec;
  child: ChildProcess | null;
  state: ProcessStatus["state"];
  startedAtMs: number | null;
  restarts: number;
  earlyDeaths: number;
  lastExit: string | null;
  counters: Counters;
  timer: NodeJS.Timeout | null;
  readonly waiting: (() => void)[];
}

export interface SupervisorOptions {
  readonly log: Logger;
  readonly restart: RestartPolicy;
  readonly nowMs: () => number;
  /** Called when a part says it is ready, with what it said. */
  readonly onReady: (name: string, detail: string) => void;
}

/** Owns every child process. Nobody else starts, signals or reaps them. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #parts = new Map<string, Part>();
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts a part and keeps it alive. Resolves when it first says that it is ready. */
  async add(spec: PartSpec): Promise<void> {
    const part: Part = {
      spec,
      child: null,
      state: "starting",
      startedAtMs: null,
      restarts: 0,
      earlyDeaths: 0,
      lastExit: null,
      counters: {},
      timer: null,
      waiting: [],
    };
    this.#parts.set(spec.name, part);
    const ready = new Promise<void>((resolve) => part.waiting.push(resolve));
    this.#start(part);
    await ready;
  }

  /** Where every part stands. */
  status(): ProcessStatus[] {
    return [...this.#parts.values()].map((part) => ({
      name: part.spec.name,
      role: part.spec.role,
      pid: part.child?.pid ?? null,
      state: part.state,
      startedAtMs: part.startedAtMs,
      restarts: part.restarts,
      lastExit: part.lastExit,
    }));
  }

  /** The latest counters of every part, by its name. */
  counters(): Record<string, Counters> {
    return Object.fromEntries([...this.#parts.values()].map((part) => [part.spec.name, part.counters]));
  }

  send(name: string, message: ToChild): void {
    const child = this.#parts.get(name)?.child;
    if (child?.connected) child.send(message, () => {}); // a child that just died is seen by its exit
  }

  /** Stops the parts, role by role in the given order; each role is down before the next is asked. */
  async stop(order: readonly Role[]): Promise<void> {
    this.#stopping = true;
    for (const part of this.#parts.values()) if (part.timer !== null) clearTimeout(part.timer);
    for (const role of order) {
      const parts = [...this.#parts.values()].filter((part) => part.spec.role === role);
      await Promise.all(parts.map((part) => this.#stopPart(part)));
    }
  }

  #start(part: Part): void {
    const child = part.spec.start();
    part.child = child;
    part.state = "starting";
    part.startedAtMs = this.#options.nowMs();
    child.on("message", (message) => this.#hear(part, message as FromChild)); // only our own children write here
    child.once("error", (error) =>
      this.#options.log.error({ part: part.spec.name, error }, "process failed to start"),
    );
    child.once("exit", (code, signal) => this.#ended(part, signal ?? `exit code ${code}`));
  }

  #hear(part: Part, message: FromChild): void {
    if (message.type === "counters") {
      part.counters = message.counters;
      return;
    }
    // Counters of budgets speak over the same channel, to the process and not to its supervisor.
    if (message.type !== "ready") return;
    part.state = this.#stopping ? "stopping" : "ready";
    this.#options.onReady(part.spec.name, message.detail);
    for (const resolve of part.waiting.splice(0)) resolve();
  }

  #ended(part: Part, reason: string): void {
    part.child = null;
    part.lastExit = reason;
    if (this.#stopping) {
      part.state = "stopped";
      return;
    }
    const { restart, log, nowMs } = this.#options;
    const livedMs = nowMs() - (part.startedAtMs ?? 0);
    part.earlyDeaths = livedMs >= restart.stableAfterMs ? 0 : part.earlyDeaths + 1;
    const delayMs = Math.min(restart.maxDelayMs, restart.delayMs * 2 ** Math.max(0, part.earlyDeaths - 1));
    part.state = "waiting-to-restart";
    part.restarts += 1;
    log.error({ part: part.spec.name, reason, livedMs, delayMs }, "process ended; it is started again");
    part.timer = setTimeout(() => {
      part.timer = null;
      if (!this.#stopping) this.#start(part);
    }, delayMs);
  }

  async #stopPart(part: Part): Promise<void> {
    const { child } = part;
    if (child === null) return;
    part.state = "stopping";
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    if (child.connected) child.send({ type: "stop" } satisfies ToChild, () => {});
    const killer = setTimeout(() => {
      this.#options.log.warn({ part: part.spec.name }, "process did not end in time; it is killed");
      child.kill("SIGKILL");
    }, part.spec.stopTimeoutMs);
    await ended;
    clearTimeout(killer);
  }
}
