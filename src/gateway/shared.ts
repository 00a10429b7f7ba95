// What every exchange of one worker uses.
import type { Logger } from "pino";
import type { GatewayLimits } from "../config/gateway-section.ts";
import type { Measures } from "./measures.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { Recorder } from "./recorder.ts";

export interface Shared {
  readonly recorder: Recorder;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly limits: GatewayLimits;
  /** Null: no measure and no budget can apply to anybody. */
  readonly measures: Measures | null;
  /** True in pass-through mode: the clients' own keys and the upstream's cookies pass. */
  readonly keepsClientKeys: boolean;
  /** True while the worker finishes what is in flight: connections are not kept. */
  isStopping: boolean;
}
