// What is known of an account, as a row of the analytical store: facts that could name a person become keyed hashes.
import type { AccountFacts } from "../../core/account.ts";
import { type FeatureKeys, KeyedHash } from "./keyed-hash.ts";

/** Mail providers open to everybody link nobody; the share of accounts with a domain is judged by the store, not here. */
export interface AccountRow {
  readonly account: string;
  /** ISO 8601 UTC, or null when unknown. */
  readonly created: string | null;
  readonly plan: string;
  readonly payment: bigint;
  readonly domain: bigint;
  readonly organization: bigint;
}

/** Pure. Country and declared use are left out on purpose: neither is evidence. */
export function accountRows(facts: AccountFacts, keys: FeatureKeys): { account_facts: [AccountRow] } {
  const hasher = new KeyedHash(keys);
  return {
    account_facts: [
      {
        account: facts.account,
        created: facts.created,
        plan: facts.plan ?? "",
        payment: hasher.of("payment", facts.payment ?? ""),
        domain: hasher.of("domain", (facts.emailDomain ?? "").toLowerCase()),
        organization: hasher.of("organization", facts.organization ?? ""),
      },
    ],
  };
}
