// Runs detection over a filled store as the analyst would: look after look on a virtual clock, alerts as they become known.

import { openHunter } from "../../src/cli/hunter.ts";
import { FindingsFile } from "../../src/cli/replay/findings-file.ts";
import type { Store } from "../../src/store/store.ts";

const HOUR_MS = 3_600_000;

export interface Watched {
  readonly alerts: FindingsFile;
  readonly looks: number;
  /** The slowest look and all of them, seconds. */
  readonly slowestSeconds: number;
  readonly seconds: number;
  readonly failures: readonly string[];
}

/** Every `everyHours` from the first hour to the last exchange. */
export async function watch(
  store: Store,
  span: { readonly firstMs: number; readonly lastMs: number },
  options: { readonly everyHours: number; readonly level: number },
): Promise<Watched> {
  const failures = new Set<string>();
  const alerts = new FindingsFile();
  const hunter = await openHunter({
    store,
    config: {
      enabled: true,
      tickMs: options.everyHours * HOUR_MS,
      falseDiscoveryRate: options.level,
      declaredGateways: [],
      disabledDetectors: [],
      hiddenSizes: {},
      embeddingModel: null,
    },
    previous: [],
    onFailure: (detector, error) => failures.add(`${detector}: ${String(error.cause ?? error)}`),
  });
  let [looks, slowestSeconds, seconds] = [0, 0, 0];
  const everyMs = options.everyHours * HOUR_MS;
  const startMs = (Math.floor(span.firstMs / everyMs) + 1) * everyMs;
  for (let nowMs = startMs; nowMs < span.lastMs + everyMs; nowMs += everyMs) {
    const began = performance.now();
    alerts.add(nowMs, await hunter(nowMs));
    const took = (performance.now() - began) / 1000;
    looks += 1;
    seconds += took;
    slowestSeconds = Math.max(slowestSeconds, took);
  }
  return { alerts, looks, slowestSeconds, seconds, failures: [...failures] };
}
