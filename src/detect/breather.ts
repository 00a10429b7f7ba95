// Long work on one thread lets everything else have a turn now and then.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Breathe } from "../core/statistics/breathe.ts";

/** Work between two rests, ms: what anybody else waits for at most, beside single steps. */
const STRETCH_MS = 20;

export function breather(): Breathe {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < STRETCH_MS) return undefined;
    return nextTurn().then(() => {
      sinceMs = performance.now();
    });
  };
}
