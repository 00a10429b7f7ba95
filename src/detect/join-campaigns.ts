// Puts together what several detectors, or one detector several times, say of the same campaign.
import type { Assertion } from "./assertion.ts";

/**
 * Campaigns that share at least half of the smaller one's accounts are one, also where a third brings them together.
 * The strongest claim leads; other kinds stay as they are. Pure: the order of the assertions makes no difference.
 */
export function joinCampaigns(assertions: readonly Assertion[]): Assertion[] {
  const strongestFirst = [...assertions].sort((a, b) => (a.pValue ?? 0) - (b.pValue ?? 0) || compare(a, b));
  let campaigns: Assertion[][] = [];
  for (const assertion of strongestFirst) {
    if (assertion.kind === "campaign") campaigns = absorb(campaigns, [assertion]);
  }
  // What was joined is larger than its parts and may meet another: until nothing changes.
  for (let before = -1; before !== campaigns.length; ) {
    before = campaigns.length;
    for (const campaign of campaigns) {
      if (campaigns.includes(campaign))
        campaigns = absorb(
          campaigns.filter((one) => one !== campaign),
          campaign,
        );
    }
  }
  return [...campaigns.map(merged), ...strongestFirst.filter(({ kind }) => kind !== "campaign")].sort(
    (a, b) => (a.pValue ?? 0) - (b.pValue ?? 0) || compare(a, b),
  );
}

/** How many accounts two lists have in common. */
export function inCommon(a: readonly string[], b: readonly string[]): number {
  const set = new Set(a);
  return b.reduce((count, account) => count + (set.has(account) ? 1 : 0), 0);
}

/** At least half of the smaller list. */
export function overlap(a: readonly string[], b: readonly string[]): boolean {
  return inCommon(a, b) * 2 >= Math.min(a.length, b.length);
}

function absorb(campaigns: readonly Assertion[][], added: Assertion[]): Assertion[][] {
  const accounts = accountsOf(added);
  const same = campaigns.filter((campaign) => overlap(accountsOf(campaign), accounts));
  return [...campaigns.filter((campaign) => !same.includes(campaign)), [...same, added].flat()];
}

function accountsOf(campaign: readonly Assertion[]): string[] {
  return [...new Set(campaign.flatMap(({ accounts }) => accounts))].sort();
}

function compare(a: Assertion, b: Assertion): number {
  return a.detector.localeCompare(b.detector) || a.anchor.localeCompare(b.anchor);
}

/** The others' accounts and reasons are added under the name of the strongest. */
function merged(campaign: readonly Assertion[]): Assertion {
  const [lead, ...others] = [...campaign].sort((a, b) => (a.pValue ?? 0) - (b.pValue ?? 0) || compare(a, b));
  if (lead === undefined) throw new TypeError("expected a campaign of at least one assertion");
  const accounts = accountsOf(campaign);
  const grown = accounts.length > lead.accounts.length;
  return {
    ...lead,
    accounts,
    summary: grown ? `${accounts.length} accounts act as one. ${lead.summary}` : lead.summary,
    contributions: [
      ...lead.contributions,
      ...others.map((other) => ({
        name: `${other.detector} agrees`,
        value: `${other.summary} p = ${other.pValue ?? "none"}`,
      })),
    ],
  };
}
