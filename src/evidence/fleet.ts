// What the case's accounts have in common, for the fleet's picture: means of payment, domains, organisations, addresses, wordings.
import { isObject } from "./verify/shapes.ts";
import { wordingOf } from "./verify/statistics.ts";

/** Accounts and facts drawn, at most: a picture of more says nothing to people. */
const MAX_ACCOUNTS = 40;
const MAX_FACTS = 16;
/** Facts of one kind that are drawn: wordings are many, and would push out all else. */
const MAX_FACTS_OF_A_KIND = 5;
/** Addresses and wordings remembered for each account. */
const MAX_REMEMBERED = 5000;

export interface SharedFact {
  readonly kind: string;
  readonly value: string;
  /** Accounts that have it, in the order of their names. */
  readonly accounts: readonly string[];
}

export interface FleetPicture {
  readonly accounts: readonly string[];
  readonly facts: readonly SharedFact[];
  readonly accountsLeftOut: number;
  readonly factsLeftOut: number;
}

const ACCOUNT_FACTS: readonly (readonly [member: string, kind: string])[] = [
  ["payment", "means of payment"],
  ["organization", "organisation"],
  ["emailDomain", "e-mail domain"],
];

export class Fleet {
  readonly #accounts: Set<string>;
  readonly #holders: Map<string, Set<string>> = new Map();

  constructor(accounts: readonly string[]) {
    this.#accounts = new Set(accounts);
  }

  /** The detail of an `account.recorded` act. */
  addAccount(detail: unknown): void {
    if (!isObject(detail) || typeof detail["account"] !== "string") return;
    for (const [member, kind] of ACCOUNT_FACTS) {
      const value = detail[member];
      if (typeof value === "string") this.#hold(kind, value, detail["account"]);
    }
  }

  addExchange(account: string, facts: { readonly ip: string | null; readonly input: string | null }): void {
    if (facts.ip !== null) this.#hold("network address", facts.ip, account);
    if (facts.input === null) return;
    const { opening, ending } = wordingOf(facts.input);
    this.#hold("begins", opening, account);
    this.#hold("ends", ending, account);
  }

  #hold(kind: string, value: string, account: string): void {
    const key = `${kind}\n${value}`;
    const known = this.#holders.get(key);
    if (known !== undefined) known.add(account);
    else if (this.#holders.size < MAX_REMEMBERED * ACCOUNT_FACTS.length)
      this.#holders.set(key, new Set([account]));
  }

  /** Facts that at least two accounts share, those of most accounts first. */
  picture(): FleetPicture {
    const shared = [...this.#holders]
      .filter(([, accounts]) => accounts.size > 1)
      .map(([key, accounts]) => {
        const [kind = "", value = ""] = key.split("\n", 2);
        return { kind, value, accounts: [...accounts].sort() };
      })
      .sort(
        (a, b) => b.accounts.length - a.accounts.length || (a.kind + a.value < b.kind + b.value ? -1 : 1),
      );
    const kinds = new Map<string, number>();
    const drawn = shared
      .filter(({ kind }) => {
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        return (kinds.get(kind) ?? 0) <= MAX_FACTS_OF_A_KIND;
      })
      .slice(0, MAX_FACTS);
    const accounts = [...this.#accounts].sort();
    return {
      accounts: accounts.slice(0, MAX_ACCOUNTS),
      facts: drawn,
      accountsLeftOut: Math.max(0, accounts.length - MAX_ACCOUNTS),
      factsLeftOut: shared.length - drawn.length,
    };
  }
}
