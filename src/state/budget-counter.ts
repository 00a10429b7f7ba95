// Counts what a budget allows, exactly: in this process, in the process above several workers, or in Redis.
import cluster from "node:cluster";
import type { Redis } from "ioredis";
import {
  type RateLimiterAbstract,
  RateLimiterCluster,
  RateLimiterClusterMaster,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from "rate-limiter-flexible";

/** How one counter is kept. */
export interface CounterOptions {
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  /** Null: this machine alone. */
  readonly redis: Redis | null;
  /** What stands in while Redis is gone; null: an error, which the caller turns into a decision. */
  readonly localLimit: number | null;
}

/** What a counter says. `isWithin` false: nothing may be taken now. */
export interface Count {
  readonly isWithin: boolean;
  readonly remaining: number;
  /** When the window ends, milliseconds from now. */
  readonly resetMs: number;
}

/** The process above may be busy; longer than this it counts as gone. */
const CLUSTER_TIMEOUT_MS = 5000;

/**
 * A window begins with the first thing taken and ends `windowSeconds` later, so any stretch of that length sees at most
 * two limits. Within a window the count is exact over all workers and machines that share it: taking is one atomic
 * step where it is kept.
 */
export class BudgetCounter {
  readonly #limiter: RateLimiterAbstract;

  constructor(options: CounterOptions) {
    this.#limiter = limiterOf(options);
  }

  /** Takes; an amount beyond the limit is not taken. @throws Error when the counter can't be reached */
  async take(key: string, amount: number): Promise<Count> {
    try {
      return countOf(await this.#limiter.consume(key, amount), true);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes || isCount(refusal)) return countOf(refusal, false);
      throw refusal;
    }
  }

  /** Takes what was spent already, beyond the limit if need be. @throws Error when the counter can't be reached */
  async charge(key: string, amount: number): Promise<Count> {
    const result = await this.#limiter.penalty(key, amount);
    return countOf(result, result.consumedPoints < this.#limiter.points);
  }

  /** Gives back what was taken for something that then did not happen. Failing, it errs to the customer's cost of one. */
  giveBack(key: string, amount: number): void {
    this.#limiter.reward(key, amount).catch(() => {});
  }
}

/** Called once in the process above the workers: keeps the counters that they share. */
export function keepCountersForWorkers(): void {
  new RateLimiterClusterMaster();
}

function limiterOf({ name, limit, windowSeconds, redis, localLimit }: CounterOptions): RateLimiterAbstract {
  const common = { keyPrefix: `adyton:${name}`, points: limit, duration: windowSeconds };
  if (redis === null) {
    if (!cluster.isWorker) return new RateLimiterMemory(common);
    return new RateLimiterCluster({ ...common, timeoutMs: CLUSTER_TIMEOUT_MS });
  }
  const standIn = localLimit === null ? null : new RateLimiterMemory({ ...common, points: localLimit });
  return new RateLimiterRedis({
    ...common,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    ...(standIn === null ? {} : { insuranceLimiter: standIn }),
  });
}

function countOf({ remainingPoints, msBeforeNext }: RateLimiterRes, isWithin: boolean): Count {
  return { isWithin, remaining: Math.max(0, remainingPoints), resetMs: Math.max(0, msBeforeNext) };
}

/** Over a cluster's channel the result arrives as a plain object. */
function isCount(value: unknown): value is RateLimiterRes {
  return typeof value === "object" && value !== null && "msBeforeNext" in value && "remainingPoints" in value;
}
