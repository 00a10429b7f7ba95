// The counters of all processes in Prometheus' text format, one series a process.
import type { Analysis } from "./analysis.ts";
import type { Counters } from "./messages.ts";

/** Exposition format 0.0.4; `counters` by process name. Names ending in `_total` are counters, the rest gauges. */
export function prometheusText(
  counters: Readonly<Record<string, Counters>>,
  analysis: Analysis["counters"],
): string {
  const families = new Map<string, string[]>();
  for (const [part, values] of Object.entries(counters)) {
    for (const [name, value] of Object.entries(values)) {
      const family = `adyton_${name}`;
      families.set(family, [...(families.get(family) ?? []), `${family}{part="${part}"} ${value}`]);
    }
  }
  const single = {
    adyton_analysis_exchanges_total: analysis.exchangesTaken,
    adyton_analysis_exchanges_without_features_total: analysis.exchangesFailed,
    adyton_analysis_hunts_total: analysis.hunts,
    adyton_analysis_hunt_ms_total: analysis.huntMs,
    adyton_analysis_detector_runs_total: analysis.runs,
    adyton_analysis_detector_run_ms_total: analysis.runMs,
    adyton_analysis_failures_total: analysis.failures,
  };
  for (const [family, value] of Object.entries(single)) families.set(family, [`${family} ${value}`]);
  const lines = [...families].flatMap(([family, samples]) => [
    `# TYPE ${family} ${family.endsWith("_total") ? "counter" : "gauge"}`,
    ...samples,
  ]);
  return `${lines.join("\n")}\n`;
}
