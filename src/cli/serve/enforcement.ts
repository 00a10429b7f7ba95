// What a gateway worker needs to enforce: verdicts in memory, budgets, and the desk for appeals; told of news by Redis.
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { instructionsOf, type RespondConfig } from "../../config/respond-section.ts";
import { readSecret } from "../../config/secret.ts";
import { AppealDesk } from "../../gateway/appeals.ts";
import { Measures } from "../../gateway/measures.ts";
import type { LogWriter } from "../../log/writer.ts";
import { Budgets } from "../../state/budgets.ts";
import type { KeyDirectory } from "../../state/key-directory.ts";
import { connectRedis, hearNews, type RedisOptions, tellNews } from "../../state/redis.ts";
import type { State } from "../../state/state.ts";
import { type Standings, VerdictTable } from "../../state/verdict-table.ts";
import { recorderOf } from "../act.ts";

export interface Enforcement {
  readonly measures: Measures;
  readonly appeals: AppealDesk;
  /** Goes on with another database, see `VerdictTable.follow`. */
  follow(state: State): void;
  /** Resolves when the worker knows the verdicts of now. */
  settled(): Promise<void>;
  close(): void;
}

export interface EnforcementOptions {
  readonly config: RespondConfig;
  readonly state: State;
  /** For what customers write, which must not go into a copy; throws while there is only a copy. `state` by default. */
  readonly shared?: () => State;
  /** Knows which organisation an account belongs to. */
  readonly directory: KeyDirectory;
  readonly writer: LogWriter;
  readonly log: Logger;
}

/** @throws StateError when the state can't be read; ConfigError `secret-unavailable` */
export async function openEnforcement({
  config,
  state,
  directory,
  writer,
  log,
  shared = () => state,
}: EnforcementOptions): Promise<Enforcement> {
  const table = await VerdictTable.open(state, {
    refreshMs: config.pollMs,
    onFailure: (error) =>
      log.error({ err: error }, "verdicts could not be refreshed; the last known ones hold"),
  });
  const [redis, news] = await connections(config, table, log);
  const { verify, appeals, slow } = config;
  const measures = new Measures({
    standings: standingsOf(config, table),
    budgets: new Budgets({
      ...{ config, redis, now: Date.now },
      spentUntil: (budget, scope) => table.spentUntil(budget, scope),
      onUnavailable: (error) =>
        log.error({ err: error }, `budgets can't be counted: ${config.onRedisFailure}`),
    }),
    organizationOf: (account) => directory.organizationOf(account),
    ...{ publicUrl: appeals.publicUrl, slow, now: Date.now },
    instructions: [instructionsOf(verify), verify.url].filter((part) => part !== null).join(" "),
  });
  const desk = new AppealDesk({
    ...{ shared, verify, now: Date.now, contact: appeals.contact },
    onReleased: async () => {
      await table.refreshAfterNews();
      if (redis !== null) await tellNews(redis);
    },
    record: recorderOf(writer, { by: "customer" }),
    onFailure: (error) => log.error({ err: error }, "an appeal could not be handled"),
  });
  return {
    measures,
    appeals: desk,
    follow: (next) => table.follow(next),
    settled: () => table.refreshAfterNews(),
    close: () => {
      table.close();
      redis?.disconnect();
      news?.disconnect();
    },
  };
}

/** In shadow mode no verdict holds for anybody. Budgets are the operator's own limits and hold in both modes. */
function standingsOf({ mode }: RespondConfig, table: VerdictTable): Standings {
  if (mode === "enforce") return table;
  return { of: () => null, spentUntil: (budget, scope) => table.spentUntil(budget, scope) };
}

async function connections(
  { redis: config }: RespondConfig,
  table: VerdictTable,
  log: Logger,
): Promise<[commands: Redis | null, news: Redis | null]> {
  if (config === null) return [null, null];
  const options: RedisOptions = {
    ...{ config, readSecret },
    onLost: (error) => log.error({ err: error }, "Redis is gone; verdicts come by the poll"),
  };
  const news = await hearNews(options, () => {
    table
      .refreshAfterNews()
      .catch((error: unknown) => log.error({ err: error }, "verdicts could not be refreshed"));
  });
  return [await connectRedis(options), news];
}
