// Carries alerts out: puts events in line for the targets that want them, tries again with growing pauses, gives up in the open.

import type { SecretReference } from "../../config/fields.ts";
import type { RespondConfig } from "../../config/respond-section.ts";
import type { Alert, AlertDraft } from "../../state/alerts.ts";
import type { State } from "../../state/state.ts";
import { send } from "./send.ts";

export interface CourierOptions {
  readonly state: Pick<State, "alerts">;
  readonly config: RespondConfig["alerts"];
  readonly readSecret: (reference: SecretReference) => Promise<string>;
  readonly now: () => number;
  /** Uniform in [0, 1): pauses are spread, so that many gateways don't knock at once. */
  readonly random: () => number;
  /** Told of an alert that was given up. */
  readonly onDead: (alert: Alert, error: string) => void;
}

/** First pause after a failure; each further one is twice as long. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 3_600_000;
/** Sent in one round; the next round follows at once when more are due. */
const ROUND = 50;
/** Lines to one target at a time would be fairer, but a dead target must not hold up the others. */
const AT_ONCE = 8;

export class Courier {
  readonly #options: CourierOptions;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Puts an event in line. The same event about the same subject is told once, whoever asks and how often. */
  async tell(drafts: readonly AlertDraft[]): Promise<void> {
    const { state, config } = this.#options;
    for (const draft of drafts) {
      const targets = config.targets
        .filter(({ events }) => wants(events, draft.event))
        .map(({ name }) => name);
      if (targets.length > 0) await state.alerts.enqueue(targets, draft);
    }
  }

  /** Sends what is due. Returns how many arrived and how many did not. */
  async round(): Promise<{ delivered: number; failed: number }> {
    const due = await this.#options.state.alerts.due(ROUND);
    let delivered = 0;
    let failed = 0;
    for (let start = 0; start < due.length; start += AT_ONCE) {
      const results = await Promise.all(due.slice(start, start + AT_ONCE).map((alert) => this.#carry(alert)));
      const arrived = results.filter(Boolean).length;
      delivered += arrived;
      failed += results.length - arrived;
    }
    return { delivered, failed };
  }

  async #carry(alert: Alert): Promise<boolean> {
    const { state, config, readSecret, now } = this.#options;
    const target = config.targets.find(({ name }) => name === alert.target);
    try {
      if (target === undefined) throw new Error("expected a configured target, got one that is gone");
      const secret = target.secret === null ? null : await readSecret(target.secret);
      await send(target, alert, { timeoutMs: config.timeoutMs, secret, nowMs: now() });
      await state.alerts.delivered(alert.id);
      return true;
    } catch (cause) {
      const error = reasonOf(cause);
      const isLast = target === undefined || alert.attempts + 1 >= config.maxAttempts;
      await state.alerts.failed(alert.id, { error, nextMs: isLast ? null : this.#nextMs(alert.attempts) });
      if (isLast) this.#options.onDead(alert, error);
      return false;
    }
  }

  /** Doubling pauses, each spread over its second half. */
  #nextMs(attempts: number): number {
    const { now, random } = this.#options;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempts, 30), LONGEST_PAUSE_MS);
    return now() + Math.floor(pauseMs * (0.5 + random() / 2));
  }
}

function wants(events: readonly string[], event: string): boolean {
  return (
    events.length === 0 ||
    events.some((beginning) => event === beginning || event.startsWith(`${beginning}.`))
  );
}

/** The innermost reason, which names no secret: fetch wraps what the network said. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
