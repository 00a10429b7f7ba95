// Virtual time: lets recorded exchanges and accounts happen in their order, and stops at every tick to look around.
import { type AccountFacts, unknownAccount } from "../../core/account.ts";
import type { NeutralExchange } from "../../core/decode/neutral.ts";
import type { RecordDraft } from "../../core/record.ts";
import { accountDraft, closeDraft, openDraft } from "../import/drafts.ts";
import { Pending } from "./pending.ts";

export interface TimelineOptions {
  readonly accounts: ReadonlyMap<string, AccountFacts>;
  /** Virtual time between ticks, ms. Ticks lie on multiples of it. */
  readonly tickMs: number;
  /** A record happens. Called in the order of virtual time. */
  readonly write: (draft: RecordDraft) => void;
  /** A tick: what was written so far is all that may be known at `nowMs`. */
  readonly onTick: (nowMs: number) => Promise<void>;
}

/**
 * Opens are written when the request came, closes when the answer had ended, facts of an account when it was made, or
 * at its first exchange if that is earlier. An exchange that comes out of order is written late, as it would be in
 * life: time never goes back.
 */
export class Timeline {
  readonly #options: TimelineOptions;
  readonly #pending = new Pending<NeutralExchange>();
  readonly #unborn: AccountFacts[];
  readonly #seen = new Set<string>();
  #nextTickMs: number | null = null;

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#unborn = [...options.accounts.values()]
      .filter((facts) => facts.created !== null)
      .sort((a, b) => bornMs(b) - bornMs(a));
  }

  /** The exchange's request comes in, after everything that happened before. */
  async take(exchange: NeutralExchange): Promise<void> {
    const { tickMs } = this.#options;
    this.#nextTickMs ??= (Math.floor(exchange.openedAtMs / tickMs) + 1) * tickMs;
    await this.#advance(exchange.openedAtMs);
    this.#recordAccount(
      this.#options.accounts.get(exchange.account) ?? unknownAccount(exchange.account),
      exchange.openedAtMs,
    );
    this.#options.write(openDraft(exchange));
    this.#pending.push(exchange, exchange.closedAtMs);
  }

  /** Everything pending ends, and a last tick sees it. */
  async end(): Promise<void> {
    while (this.#pending.size > 0) await this.#advance(this.#pending.nextEndMs);
    if (this.#nextTickMs !== null) await this.#advance(this.#nextTickMs);
  }

  async #advance(toMs: number): Promise<void> {
    while (this.#nextTickMs !== null) {
      const endMs = this.#pending.nextEndMs;
      const birth = this.#unborn.at(-1);
      const birthMs = birth === undefined ? Number.POSITIVE_INFINITY : bornMs(birth);
      const nextMs = Math.min(endMs, birthMs, this.#nextTickMs);
      if (nextMs > toMs) return;
      if (birth !== undefined && birthMs === nextMs) {
        this.#unborn.pop();
        this.#recordAccount(birth, birthMs);
      } else if (endMs === nextMs) {
        const ended = this.#pending.pop();
        if (ended !== undefined) this.#options.write(closeDraft(ended));
      } else {
        this.#nextTickMs += this.#options.tickMs;
        await this.#options.onTick(nextMs);
      }
    }
  }

  #recordAccount(facts: AccountFacts, timeMs: number): void {
    if (this.#seen.has(facts.account)) return;
    this.#seen.add(facts.account);
    this.#options.write(accountDraft(facts, timeMs));
  }
}

function bornMs(facts: AccountFacts): number {
  return Date.parse(facts.created ?? "");
}
