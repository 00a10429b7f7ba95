// Tells gateways on other machines what a command decided, so that they don't wait for their poll.
import { readSecret } from "../config/secret.ts";
import { connectRedis, isReady, tellNews } from "../state/redis.ts";
import type { Context } from "./context.ts";
import { type Changing, withChanges } from "./with-state.ts";

/** A command should not hang on a Redis that is gone: the decision is made, and the poll brings it. */
const CONNECT_WITHIN_MS = 2000;

/** `withChanges` for decisions about measures: once they are committed, gateways are told over Redis, where there is one. */
export async function withDecisions<T>(
  context: Context,
  use: (changing: Changing) => Promise<T>,
): Promise<T> {
  const result = await withChanges(context, use);
  await tellGateways(context);
  return result;
}

async function tellGateways({ config: { respond }, output }: Context): Promise<void> {
  if (respond.redis === null) return;
  const lost = (): void => output.note("Redis does not answer; gateways learn of it by their poll.");
  const redis = await connectRedis({ config: respond.redis, readSecret, onLost: () => {} });
  try {
    if (await isReady(redis, CONNECT_WITHIN_MS)) await tellNews(redis);
    else lost();
  } finally {
    redis.disconnect();
  }
}
