// Decides whether a caller's budgets allow one more exchange, and charges what the exchange then used.
import cluster from "node:cluster";
import type { Redis } from "ioredis";
import {
  type BudgetConfig,
  type BudgetScope,
  isCountedAtTheGateway,
  type RespondConfig,
} from "../config/respond-section.ts";
import { limitOf } from "../core/extraction-model.ts";
import { BudgetCounter } from "./budget-counter.ts";
import { WindowChannel } from "./shared-windows.ts";
import type { Count } from "./sliding-window.ts";

/** Whom the budgets of an exchange belong to. Nothing of it comes from the request. */
export interface Caller {
  readonly account: string;
  /** Pseudonym of the tenant's own user, where the tenant signed who it is; null: nobody is told apart. */
  readonly endUser: string | null;
  readonly organization: string | null;
  /** The live verdict whose accounts share one pace; null: none. */
  readonly verdict: string | null;
}

export type Admission =
  | {
      readonly admitted: true;
      /** `ratelimit-*` for the caller, flat name and value list. Only of budgets that are the account's own. */
      readonly headers: readonly string[];
    }
  | {
      readonly admitted: false;
      /** `spent`: a budget is used up; `unavailable`: nobody can say, and the operator chose to refuse then. */
      readonly why: "spent" | "unavailable";
      readonly retryAfterSeconds: number;
      /** The same, exactly. */
      readonly retryAfterMs: number;
      readonly headers: readonly string[];
    };

export interface BudgetsOptions {
  readonly config: Pick<RespondConfig, "budgets" | "target" | "onRedisFailure" | "gateways" | "slow">;
  readonly redis: Redis | null;
  /** When measured budgets are free again, from the verdict table. */
  readonly spentUntil: (budget: string, scope: string) => number;
  readonly now: () => number;
  /** Told when a counter can't be reached, at most once a second. */
  readonly onUnavailable: (error: unknown) => void;
}

interface Counted {
  readonly config: BudgetConfig;
  readonly limit: number;
  readonly counter: BudgetCounter;
}

interface Taken {
  readonly counter: BudgetCounter;
  readonly key: string;
}

/** In the order in which they are asked: who is over their own limit takes nothing from what others share. */
const SCOPES: readonly BudgetScope[] = ["endUser", "account", "organization", "campaign", "global"];
/** What is the caller's own business, and may be told; what others share is not. */
const OWN: ReadonlySet<BudgetScope> = new Set(["endUser", "account"]);
/** Keys of spent token budgets that are remembered; an attacker has as many as they have accounts. */
const MAX_REMEMBERED = 100_000;
const COMPLAINT_MS = 1000;
const UNAVAILABLE_RETRY_SECONDS = 5;
const NO_HEADERS: readonly string[] = [];

/** The name under which a caller's share of a budget is kept; null: the caller has none in this scope. */
export function scopeKey(
  scope: BudgetScope,
  { account, endUser, organization, verdict }: Caller,
): string | null {
  switch (scope) {
    case "endUser":
      // The pseudonym holds the organisation already: two tenants' users never meet.
      return endUser === null ? null : `endUser:${endUser}`;
    case "account":
      return `account:${account}`;
    case "organization":
      return organization === null ? null : `organization:${organization}`;
    case "campaign":
      return verdict === null ? null : `verdict:${verdict}`;
    case "global":
      return "global";
  }
}

/**
 * The pace of `slow`, spread evenly: six a minute are one every ten seconds. Windows are whole seconds, and rounding
 * never lets more through.
 */
export function paceOf({ requests, windowSeconds }: RespondConfig["slow"]): {
  readonly requests: number;
  readonly windowSeconds: number;
} {
  const seconds = Math.min(windowSeconds, Math.max(1, Math.ceil(windowSeconds / requests)));
  return { requests: Math.max(1, Math.floor((requests * seconds) / windowSeconds)), windowSeconds: seconds };
}

/** What each gateway may admit alone. A limit below the number of gateways is one in a longer window. */
function localShare(
  limit: number,
  windowSeconds: number,
  gateways: number,
): { readonly limit: number; readonly windowSeconds: number } {
  if (limit >= gateways) return { limit: Math.floor(limit / gateways), windowSeconds };
  return { limit: 1, windowSeconds: windowSeconds * Math.ceil(gateways / limit) };
}

export class Budgets {
  readonly #options: BudgetsOptions;
  readonly #requests: readonly Counted[];
  readonly #tokens: readonly Counted[];
  readonly #measured: readonly BudgetConfig[];
  readonly #pace: BudgetCounter;
  readonly #channel: WindowChannel | null;
  /** Until when a token budget was seen as spent, by `name key`. */
  readonly #spent: Map<string, number> = new Map();
  #complainedMs = Number.NEGATIVE_INFINITY;

  constructor(options: BudgetsOptions) {
    this.#options = options;
    const { config, redis } = options;
    const hasRedis = redis !== null;
    this.#channel = cluster.isWorker && !hasRedis ? new WindowChannel() : null;
    const counted = config.budgets
      .filter((budget) => isCountedAtTheGateway(budget, { hasRedis }))
      .map((budget) => this.#counted(budget));
    const ordered = counted.sort((a, b) => SCOPES.indexOf(a.config.scope) - SCOPES.indexOf(b.config.scope));
    this.#requests = ordered.filter(({ config: { unit } }) => unit === "requests");
    this.#tokens = ordered.filter(({ config: { unit } }) => unit !== "requests");
    this.#measured = config.budgets.filter((budget) => !isCountedAtTheGateway(budget, { hasRedis }));
    const { requests, windowSeconds } = paceOf(config.slow);
    this.#pace = this.#counter("slow-pace", requests, windowSeconds);
  }

  /** False: no budget is configured, and nobody needs to ask. */
  get hasAny(): boolean {
    return this.#options.config.budgets.length > 0;
  }

  /** True when an exchange's tokens have to be charged. */
  get countsTokens(): boolean {
    return this.#tokens.length > 0;
  }

  /** Takes one request from every budget of the caller, or none from any. Never throws. */
  async admit(caller: Caller): Promise<Admission> {
    const spentMs = this.#spentForMs(caller);
    if (spentMs > 0) return refusal("spent", spentMs);
    const taken: Taken[] = [];
    let headers = NO_HEADERS;
    for (const { config, limit, counter } of this.#requests) {
      const key = scopeKey(config.scope, caller);
      if (key === null) continue;
      const count = await this.#take(counter, key, 1);
      if (count === null) {
        if (this.#options.config.onRedisFailure === "open") continue;
        for (const item of taken) item.counter.giveBack(item.key, 1);
        return refusal("unavailable", UNAVAILABLE_RETRY_SECONDS * 1000);
      }
      // What all share is nobody's business; the caller's own, the narrowest first, is theirs.
      const own = OWN.has(config.scope) ? headersOf(config, limit, count) : NO_HEADERS;
      if (!count.isWithin) {
        // What others share was not touched, or is given back.
        for (const item of taken) item.counter.giveBack(item.key, 1);
        return refusal("spent", count.resetMs, own);
      }
      if (headers.length === 0) headers = own;
      taken.push({ counter, key });
    }
    return { admitted: true, headers };
  }

  /** The pace under the measure `slow`, shared by all accounts of the verdict. Never throws. */
  async pace(verdict: string): Promise<Admission> {
    const count = await this.#take(this.#pace, `verdict:${verdict}`, 1);
    if (count === null) {
      if (this.#options.config.onRedisFailure === "open") return { admitted: true, headers: NO_HEADERS };
      return refusal("unavailable", UNAVAILABLE_RETRY_SECONDS * 1000);
    }
    return count.isWithin ? { admitted: true, headers: NO_HEADERS } : refusal("spent", count.resetMs);
  }

  /** Charges what an exchange used. The next request of a caller who is over is refused; this one was served. */
  async charge(caller: Caller, used: { inputTokens: number; outputTokens: number }): Promise<void> {
    for (const { config, counter } of this.#tokens) {
      const key = scopeKey(config.scope, caller);
      const amount = config.unit === "inputTokens" ? used.inputTokens : used.outputTokens;
      if (key === null || amount <= 0) continue;
      try {
        const count = await counter.charge(key, amount);
        if (!count.isWithin) this.#remember(`${config.name} ${key}`, this.#options.now() + count.resetMs);
      } catch (error) {
        this.#complain(error);
      }
    }
  }

  /** How long until every token budget and measured budget of the caller is free; 0: they are. */
  #spentForMs(caller: Caller): number {
    const { now, spentUntil } = this.#options;
    const nowMs = now();
    let untilMs = 0;
    for (const { config } of this.#tokens) {
      const key = scopeKey(config.scope, caller);
      if (key !== null) untilMs = Math.max(untilMs, this.#spent.get(`${config.name} ${key}`) ?? 0);
    }
    for (const { name, scope } of this.#measured) {
      const key = scopeKey(scope, caller);
      if (key !== null) untilMs = Math.max(untilMs, spentUntil(name, key));
    }
    return Math.max(0, untilMs - nowMs);
  }

  async #take(counter: BudgetCounter, key: string, amount: number): Promise<Count | null> {
    try {
      return await counter.take(key, amount);
    } catch (error) {
      this.#complain(error);
      return null;
    }
  }

  #remember(key: string, untilMs: number): void {
    if (this.#spent.size >= MAX_REMEMBERED) {
      const nowMs = this.#options.now();
      for (const [known, until] of this.#spent) if (until <= nowMs) this.#spent.delete(known);
      const [oldest] = this.#spent.keys();
      if (this.#spent.size >= MAX_REMEMBERED && oldest !== undefined) this.#spent.delete(oldest);
    }
    this.#spent.set(key, untilMs);
  }

  #complain(error: unknown): void {
    const nowMs = this.#options.now();
    if (nowMs - this.#complainedMs < COMPLAINT_MS) return;
    this.#complainedMs = nowMs;
    this.#options.onUnavailable(error);
  }

  #counted(config: BudgetConfig): Counted {
    const limit = limitOf(config, this.#options.config.target);
    return { config, limit, counter: this.#counter(config.name, limit, config.windowSeconds) };
  }

  #counter(name: string, limit: number, windowSeconds: number): BudgetCounter {
    const { config, redis } = this.#options;
    const isLocal = config.onRedisFailure === "localShare";
    const local = isLocal ? localShare(limit, windowSeconds, config.gateways) : null;
    const { now } = this.#options;
    const channel = this.#channel;
    return new BudgetCounter({ name, limit, windowSeconds, redis, channel, local, now });
  }
}

function refusal(
  why: "spent" | "unavailable",
  afterMs: number,
  headers: readonly string[] = NO_HEADERS,
): Admission {
  const retryAfterSeconds = Math.max(1, Math.ceil(afterMs / 1000));
  return { admitted: false, why, retryAfterSeconds, retryAfterMs: afterMs, headers };
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-06, which clients know: seconds until all is free again, or what was asked for. */
function headersOf({ windowSeconds }: BudgetConfig, limit: number, { remaining, resetMs }: Count): string[] {
  return [
    ...["ratelimit-limit", String(limit)],
    ...["ratelimit-remaining", String(remaining)],
    ...["ratelimit-reset", String(Math.ceil(resetMs / 1000))],
    ...["ratelimit-policy", `${limit};w=${windowSeconds}`],
  ];
}
