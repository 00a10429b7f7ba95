// Counts what the API answers and prints it, with the state of log and store, in Prometheus' text format.
import type { Health } from "./contract/operations.ts";

/** Answers by method and status class: a bounded number of series whatever clients ask for. */
export class RequestCounters {
  readonly #counts = new Map<string, number>();

  count(method: string, status: number): void {
    const known = ["GET", "HEAD", "POST", "PATCH", "DELETE"].includes(method) ? method : "other";
    const labels = `method="${known}",status="${Math.floor(status / 100)}xx"`;
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#counts].map(([labels, count]) => `adyton_api_requests_total{${labels}} ${count}`);
  }
}

export interface MetricsFacts {
  readonly requests: RequestCounters;
  readonly sealedRecords: number;
  readonly storePosition: number;
  readonly openFindings: number;
  readonly health: Health;
  /** Lines of other parts, each ended. */
  readonly further: string;
}

/** Exposition format 0.0.4. */
export function metricsText(facts: MetricsFacts): string {
  const lines = [
    ...family("adyton_api_requests_total", "counter", "Answers of the API.", facts.requests.lines()),
    ...gauge("adyton_log_sealed_records", "Records under the newest checkpoint.", facts.sealedRecords),
    ...gauge("adyton_store_position", "Records that the analytical store has read.", facts.storePosition),
    ...gauge("adyton_findings_open", "Findings that nobody has decided on.", facts.openFindings),
    ...family(
      "adyton_component_healthy",
      "gauge",
      "Whether a part of the installation is well.",
      facts.health.components.map(
        ({ name, ok }) => `adyton_component_healthy{name="${label(name)}"} ${ok ? 1 : 0}`,
      ),
    ),
  ];
  return `${lines.join("\n")}\n${facts.further}`;
}

function gauge(name: string, help: string, value: number): string[] {
  return family(name, "gauge", help, [`${name} ${value}`]);
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

function label(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
