// What the console and /health say of each process: whether it is up, and whether its records reach the log.
import type { Component } from "../../api/contract/operations.ts";
import type { ProcessStatus, StatusMessage } from "./messages.ts";

/** A part that is up but can't record is not well: under `failOpen` it serves without records, and must say so. */
export function componentsOf({ processes, counters }: StatusMessage): Component[] {
  return processes.flatMap((status) => {
    const own = counters[status.name] ?? {};
    return [processComponent(status), ...logComponent(status.name, own)];
  });
}

function processComponent({ name, state, restarts, lastExit }: ProcessStatus): Component {
  const ended = lastExit === null ? "" : `; last ended by ${lastExit}`;
  const again = restarts === 0 ? "" : `; started again ${restarts} times`;
  return { name, ok: state === "ready", message: `${state}${again}${ended}` };
}

function logComponent(name: string, counters: Readonly<Record<string, number>>): Component[] {
  const healthy = counters["log_healthy"];
  if (healthy === undefined) return [];
  const unrecorded = counters["exchanges_unrecorded_total"] ?? 0;
  const lost = unrecorded === 0 ? "" : `; ${unrecorded} exchanges were served without a record`;
  const message = `${healthy === 1 ? "writable" : "the log can't be written"}${lost}`;
  return [{ name: `${name} log`, ok: healthy === 1 && unrecorded === 0, message }];
}
