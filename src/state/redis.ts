// The connection to Redis or Valkey that several gateways share: it fails fast, and comes back by itself.
import { Redis } from "ioredis";
import type { SecretReference } from "../config/fields.ts";
import type { RedisConfig } from "../config/respond-section.ts";

const CONNECT_TIMEOUT_MS = 2000;
const MAX_RECONNECT_DELAY_MS = 1000;
/** The channel on which changes of verdicts are told. Nobody relies on it: a poll stands behind. */
const NEWS = "adyton:verdicts";

export interface RedisOptions {
  readonly config: RedisConfig;
  readonly readSecret: (reference: SecretReference) => Promise<string>;
  /** Told once for each time the connection is lost. */
  readonly onLost: (error: Error) => void;
}

/** A connection for commands. It connects in the background; until then, commands fail at once. */
export async function connectRedis({ config, readSecret, onLost }: RedisOptions): Promise<Redis> {
  const password = config.password === null ? undefined : await readSecret(config.password);
  const redis = new Redis(config.url, {
    ...(password === undefined ? {} : { password }),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: config.timeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS),
  });
  let isLost = false;
  redis.on("ready", () => {
    isLost = false;
  });
  redis.on("error", (error: Error) => {
    if (isLost) return;
    isLost = true;
    onLost(error);
  });
  return redis;
}

/** Resolves when it answers; false when it did not within the time. */
export async function isReady(redis: Redis, withinMs: number = CONNECT_TIMEOUT_MS): Promise<boolean> {
  if (redis.status === "ready") return true;
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    redis.once("ready", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Tells every gateway that verdicts have changed. Lost where nobody listens: then the poll brings it. */
export async function tellNews(redis: Redis): Promise<void> {
  if (redis.status === "ready") await redis.publish(NEWS, "1").catch(() => {});
}

/** Calls `heard` at each news. The connection is one of its own: a subscriber can't send commands. */
export async function hearNews(options: RedisOptions, heard: () => void): Promise<Redis> {
  const redis = await connectRedis(options);
  redis.on("message", heard);
  // Subscribed again after each reconnection, and looked at once: news may have been missed.
  redis.on("ready", () => {
    redis.subscribe(NEWS).then(heard, () => {});
  });
  return redis;
}
