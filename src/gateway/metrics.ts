// What one worker counts. Plain numbers: the supervisor adds workers up and the API shows them.
import type { GatewayErrorCode } from "./errors.ts";

/** Upper bounds of the histograms, milliseconds; a last bucket takes the rest. */
export const BUCKETS_MS: readonly number[] = [
  0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000,
];

export interface HistogramSnapshot {
  readonly count: number;
  readonly sumMs: number;
  /** One count for each bound in `BUCKETS_MS`, and one for everything above; not cumulative. */
  readonly buckets: readonly number[];
}

export class Histogram {
  readonly #buckets: number[] = new Array<number>(BUCKETS_MS.length + 1).fill(0);
  #count = 0;
  #sumMs = 0;

  observe(valueMs: number): void {
    this.#count += 1;
    this.#sumMs += valueMs;
    let index = 0;
    while (index < BUCKETS_MS.length && valueMs > (BUCKETS_MS[index] ?? 0)) index += 1;
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
  }

  snapshot(): HistogramSnapshot {
    return { count: this.#count, sumMs: this.#sumMs, buckets: [...this.#buckets] };
  }
}

export interface MetricsSnapshot {
  readonly inFlight: number;
  readonly bufferedBytes: number;
  readonly requests: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly complete: number;
  readonly aborted: number;
  readonly upstreamFailed: number;
  readonly refused: number;
  /** Clients that left before their request had arrived in full: no exchange, so no record. */
  readonly leftEarly: number;
  /** Clients that left between the last byte from upstream and the last byte to them. */
  readonly leftLate: number;
  /** Exchanges served without a record under `failOpen`. Zero is the promise of `failClosed`. */
  readonly unrecorded: number;
  /** Answers cut because their record could not be made durable. */
  readonly cutForLog: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly latency: HistogramSnapshot;
  readonly firstByte: HistogramSnapshot;
  /** Time an answer's end waited for the disk. */
  readonly closeWait: HistogramSnapshot;
}

/** Counters of one worker. Fields are written by the request path; read them through `snapshot`. */
export class GatewayMetrics {
  inFlight = 0;
  bufferedBytes = 0;
  requests = 0;
  requestBytes = 0;
  responseBytes = 0;
  complete = 0;
  aborted = 0;
  upstreamFailed = 0;
  refused = 0;
  leftEarly = 0;
  leftLate = 0;
  unrecorded = 0;
  cutForLog = 0;
  readonly latency: Histogram = new Histogram();
  readonly firstByte: Histogram = new Histogram();
  readonly closeWait: Histogram = new Histogram();
  readonly #refusals: Map<GatewayErrorCode, number> = new Map();

  countRefusal(code: GatewayErrorCode): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  snapshot(): MetricsSnapshot {
    return {
      inFlight: this.inFlight,
      bufferedBytes: this.bufferedBytes,
      requests: this.requests,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
      complete: this.complete,
      aborted: this.aborted,
      upstreamFailed: this.upstreamFailed,
      refused: this.refused,
      leftEarly: this.leftEarly,
      leftLate: this.leftLate,
      unrecorded: this.unrecorded,
      cutForLog: this.cutForLog,
      refusals: Object.fromEntries(this.#refusals),
      latency: this.latency.snapshot(),
      firstByte: this.firstByte.snapshot(),
      closeWait: this.closeWait.snapshot(),
    };
  }
}
