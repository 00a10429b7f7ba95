// Response as it runs beside detection: ticks after each hunt and once a second, carries alerts out, measures budgets.
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ResponsePort } from "../../api/services.ts";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../config/secret.ts";
import type { ActRecorder } from "../../core/acts.ts";
import type { Finding } from "../../core/finding.ts";
import { Courier } from "../../respond/alerts/courier.ts";
import { appealFiled, findingRaised, verdictChanged } from "../../respond/alerts/events.ts";
import { Meter } from "../../respond/meter.ts";
import { loadPolicy, policyHash } from "../../respond/policy.ts";
import { Responder } from "../../respond/responder.ts";
import type { AlertDraft } from "../../state/alerts.ts";
import { connectRedis, tellNews } from "../../state/redis.ts";
import type { State } from "../../state/state.ts";
import { selectSpent } from "../../store/queries/budgets.ts";
import type { Store } from "../../store/store.ts";
import { servedTo } from "../served.ts";

/** Steps that only time takes come into effect within this. */
const TICK_MS = 1000;
/** Verdicts and appeals that are looked at for alerts: the newest. */
const WATCHED = 200;
/** What was told already need not be asked of the database; beyond this the memory begins anew. */
const MAX_TOLD = 100_000;

export interface ResponseOptions {
  readonly config: Config;
  readonly state: State;
  readonly store: Store;
  readonly record: ActRecorder;
  readonly log: Logger;
  readonly clock: () => number;
}

export class Response {
  readonly port: ResponsePort;
  readonly #options: ResponseOptions;
  readonly #responder: Responder;
  readonly #courier: Courier;
  readonly #meter: Meter;
  readonly #redis: Redis | null;
  readonly #told: Set<string> = new Set();
  #timer: NodeJS.Timeout | null = null;
  /** One thing at a time: a tick that a hunt asks for waits for the one under way. */
  #turn: Promise<void> = Promise.resolve();
  #isStopped = false;
  #carrying: Promise<unknown> | null = null;

  private constructor(
    options: ResponseOptions,
    parts: { responder: Responder; courier: Courier; meter: Meter; redis: Redis | null; port: ResponsePort },
  ) {
    this.#options = options;
    this.#responder = parts.responder;
    this.#courier = parts.courier;
    this.#meter = parts.meter;
    this.#redis = parts.redis;
    this.port = parts.port;
  }

  /** @throws RespondError when the policy can't be used; ConfigError `secret-unavailable` */
  static async open(options: ResponseOptions): Promise<Response> {
    const { config, state, store, record, log, clock: now } = options;
    const { mode } = config.respond;
    const policy = await loadPolicy(config.respond.policy);
    const redis =
      config.respond.redis === null
        ? null
        : await connectRedis({
            config: config.respond.redis,
            readSecret,
            onLost: (error) =>
              log.error({ err: error }, "Redis is gone; gateways learn of verdicts by their poll"),
          });
    const takeOf = (accounts: readonly string[]) => servedTo(store, accounts);
    const { step } = config.respond.verify;
    const verification = step === "contact" || step === "proofOfWork" ? null : step;
    const responder = new Responder({
      ...{ state, policy, mode, record, verification, takeOf, now },
      random: Math.random,
    });
    await responder.announce();
    const courier = new Courier({
      ...{ state, now, readSecret, random: Math.random },
      config: config.respond.alerts,
      onDead: ({ id, target, event }, error) =>
        log.error({ alert: id, target, event, error }, "an alert was given up"),
    });
    const meter = new Meter({
      ...{ state, record, now, config: config.respond },
      ask: async ({ unit, sinceMs, ...rest }) => {
        const rows = await store.query<{ scope: string; oldest_ms: number }>(selectSpent(unit), {
          since_ms: sinceMs,
          ...rest,
        });
        return rows.map(({ scope, oldest_ms }) => ({ scope, oldestMs: oldest_ms }));
      },
    });
    const port: ResponsePort = {
      ...{ mode, policy, hash: policyHash(policy) },
      effectiveMs: () => responder.effectiveMs(),
      changed: async () => {
        if (redis !== null) await tellNews(redis);
      },
    };
    return new Response(options, { responder, courier, meter, redis, port });
  }

  /** Called with what a hunt found, after it was kept: new members inherit now, and not a second later. */
  async hunted(findings: readonly Finding[]): Promise<void> {
    await this.#inTurn(() => this.#tick(findings));
  }

  /** Ticks once a second until `close`. */
  start(): void {
    this.#timer = setTimeout(() => {
      this.#inTurn(() => this.#tick([]))
        .catch((error: unknown) =>
          this.#options.log.error({ err: error }, "response failed; it is tried again"),
        )
        .finally(() => {
          if (!this.#isStopped) this.start();
        });
    }, TICK_MS);
  }

  async close(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#turn;
    await this.#carrying;
    this.#redis?.disconnect();
  }

  async #tick(findings: readonly Finding[]): Promise<void> {
    if (this.#isStopped) return;
    const { proposed, changed, joined, released } = await this.#responder.tick();
    const isSpent = await this.#meter.look();
    if (proposed.length + changed.length + joined + released > 0 || isSpent) await this.port.changed();
    await this.#tellOf([...findings.map(findingRaised), ...changed.map(verdictChanged)]);
    // A receiver that hangs must not hold up the next tick.
    this.#carrying ??= this.#courier
      .round()
      .catch((error: unknown) => this.#options.log.error({ err: error }, "alerts could not be sent"))
      .finally(() => {
        this.#carrying = null;
      });
  }

  /** Tells of what happened here and of what people did over the API or on the command line. */
  async #tellOf(drafts: readonly AlertDraft[]): Promise<void> {
    const { state, config } = this.#options;
    if (config.respond.alerts.targets.length === 0) return;
    const verdicts = await state.verdicts.list({ limit: WATCHED });
    const appeals = await state.appeals.list({ status: "open", limit: WATCHED });
    const all = [...drafts, ...verdicts.items.map(verdictChanged), ...appeals.items.map(appealFiled)];
    const fresh = all.filter(({ event, subject }) => !this.#told.has(`${event} ${subject}`));
    await this.#courier.tell(fresh);
    if (this.#told.size > MAX_TOLD) this.#told.clear();
    for (const { event, subject } of fresh) this.#told.add(`${event} ${subject}`);
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    await mine;
  }
}
