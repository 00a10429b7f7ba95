// What happened when, for the report's timeline: each account's requests by day, what the provider's systems said of it, acts.
import { ACCOUNT_FACTS, type AccountFacts } from "../core/account.ts";
import { isObject } from "./verify/shapes.ts";

/** Acts that are remembered: a report of more is not read. */
const MAX_ACTS = 200;

export interface AccountAct {
  readonly time: string;
  readonly act: string;
  readonly account: string;
}

/** Only what the bundle shows may be told here. */
export class Chronicle {
  readonly acts: AccountAct[] = [];
  readonly #described: Map<string, Partial<AccountFacts>> = new Map();
  readonly #requests: Map<string, Map<string, number>> = new Map();

  /** The detail of an `account.recorded` act; the last one counts. */
  describe(detail: unknown): void {
    if (isObject(detail) && typeof detail["account"] === "string")
      this.#described.set(detail["account"], factsOf(detail));
  }

  addAct(act: AccountAct): void {
    if (this.acts.length < MAX_ACTS) this.acts.push(act);
  }

  addRequest(account: string, time: string): void {
    const day = time.slice(0, 10);
    const days = this.#requests.get(account) ?? new Map<string, number>();
    this.#requests.set(account, days.set(day, (days.get(day) ?? 0) + 1));
  }

  /** What is known of each account that was described. */
  get described(): ReadonlyMap<string, Partial<AccountFacts>> {
    return this.#described;
  }

  /** Requests by account and day (UTC). */
  get requests(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#requests;
  }
}

function factsOf(detail: Readonly<Record<string, unknown>>): Partial<AccountFacts> {
  const told = ACCOUNT_FACTS.flatMap((member) => {
    const value = detail[member];
    return typeof value === "string" && value !== "" ? [[member, value] as const] : [];
  });
  return Object.fromEntries(told);
}
