// The facts about an account that detection and people work with, wherever they came from.

/** All but `account` may be unknown. Told by the operator's own systems, never by the account's requests. */
export interface AccountFacts {
  readonly account: string;
  /** When the customer signed up, ISO 8601 UTC. */
  readonly created: string | null;
  readonly plan: string | null;
  /** Reference of the means of payment (a token or hash, never a card number). */
  readonly payment: string | null;
  readonly emailDomain: string | null;
  /** ISO 3166-1 alpha-2, as the customer stated it. */
  readonly country: string | null;
  readonly organization: string | null;
  /** What the customer said the account is for, e.g. evaluation or reseller. */
  readonly declaredUse: string | null;
}

/** Everything that may be known of an account beside its name. */
export const ACCOUNT_FACTS: readonly Exclude<keyof AccountFacts, "account">[] = [
  "created",
  "plan",
  "payment",
  "emailDomain",
  "country",
  "organization",
  "declaredUse",
];

/** Facts of an account of which nothing but its name is known. */
export function unknownAccount(account: string): AccountFacts {
  return {
    account,
    created: null,
    plan: null,
    payment: null,
    emailDomain: null,
    country: null,
    organization: null,
    declaredUse: null,
  };
}

/** "1 account", "2 accounts": how many, in words that people read. */
export function accountsText(count: number): string {
  return count === 1 ? "1 account" : `${count} accounts`;
}
