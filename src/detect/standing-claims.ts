// What campaign detectors claimed and what joins it: a claim stands while its detector sees no more than before, and
// grows by accounts that begin with its wordings, and by weaker claims about mostly the same accounts.
import type { Assertion } from "./assertion.ts";
import { type Detector, numberParameter } from "./catalog.ts";
import { followUpRowsOf, type Readable, type RunOptions } from "./claims/claim.ts";
import { inCommon, overlap } from "./join-campaigns.ts";

interface StandingClaim {
  readonly detector: Detector;
  readonly assertion: Assertion;
  /** When its detector last said so. */
  readonly renewedMs: number;
  /** Accounts that began with its wordings since. */
  readonly joined: Set<string>;
}

/** A row of `joiners.sql`: accounts that use a followed wording privately. */
interface Joiners {
  readonly affix: string;
  readonly accounts: readonly string[];
}

export interface FollowOptions {
  /** How far back to look for who began, where not as far as the detector says. */
  readonly joinHours?: number;
}

const DAY_MS = 86_400_000;

/**
 * A claim that a later look can't repeat isn't taken back by that: a test that fails to reject proves nothing, and the
 * null's fit moves with every other wording in the store. It stands for as long as its detector looks back.
 */
export class StandingClaims {
  #claims: readonly StandingClaim[] = [];
  readonly #growth = new Map<string, readonly Assertion[]>();
  #renewals = 0;

  /** How often claims took the place of others. Who follows beside a run sees by it that there is more to follow. */
  get renewals(): number {
    return this.#renewals;
  }

  /** What a run claims takes the place of what the detector claimed before of mostly the same accounts. */
  renew(detector: Detector, assertions: readonly Assertion[], nowMs: number): void {
    const claimed = assertions.filter(({ onlyGrows }) => onlyGrows !== true);
    this.#growth.set(
      detector.id,
      assertions.filter(({ onlyGrows }) => onlyGrows === true),
    );
    const windowMs = numberParameter(detector, "windowDays") * DAY_MS;
    const kept = this.#claims.filter(
      (claim) =>
        claim.detector.id !== detector.id ||
        (nowMs - claim.renewedMs < windowMs &&
          !claimed.some(({ accounts }) => overlap(accounts, claim.assertion.accounts))),
    );
    const renewed = claimed.map((assertion) => ({
      detector,
      assertion,
      renewedMs: nowMs,
      joined: new Set<string>(),
    }));
    this.#claims = [...kept, ...renewed];
    this.#renewals += 1;
  }

  /**
   * Takes in accounts that began with the wordings of a detector's claims since these were made: a claim names who used them
   * before. Claims may be renewed while the answer is
   * awaited: one that still stands then is the same object and takes them in, and what one takes in that doesn't stand
   * any more is lost with it.
   * @throws StoreError, DetectError
   */
  async follow(
    store: Readable,
    detector: Detector,
    { joinHours, ...options }: RunOptions & FollowOptions,
  ): Promise<void> {
    const followed = this.#claims.filter(
      (claim) =>
        claim.detector.id === detector.id &&
        claim.renewedMs < options.nowMs &&
        (claim.assertion.wordings ?? []).length > 0,
    );
    if (followed.length === 0) return;
    const affixes = [...new Set(followed.flatMap(({ assertion }) => assertion.wordings ?? []))].sort();
    const rows = await followUpRowsOf<Joiners>(store, detector, options, {
      statement: "joiners",
      parameters: { affixes: affixes.map(BigInt), ...(joinHours === undefined ? {} : { joinHours }) },
    });
    const accountsOf = new Map(rows.map(({ affix, accounts }) => [affix, accounts]));
    for (const { assertion, joined } of followed) {
      const members = new Set(assertion.accounts);
      for (const account of (assertion.wordings ?? []).flatMap((affix) => accountsOf.get(affix) ?? []))
        if (!members.has(account)) joined.add(account);
    }
  }

  /** Accounts in claims that stand by themselves. */
  accused(): ReadonlySet<string> {
    return new Set(this.#claims.flatMap((claim) => grown(claim).accounts));
  }

  /** Everything that stands now. Growth counts where most of its accounts are in one claim already. */
  assertions(): Assertion[] {
    const claims = this.#claims.map(grown);
    const growth = [...this.#growth.values()]
      .flat()
      .filter(({ accounts }) =>
        claims.some((claim) => inCommon(claim.accounts, accounts) * 2 >= accounts.length),
      );
    return [...claims, ...growth];
  }
}

function grown({ assertion, joined }: StandingClaim): Assertion {
  if (joined.size === 0) return assertion;
  const accounts = [...assertion.accounts, ...[...joined].sort()];
  return {
    ...assertion,
    accounts,
    contributions: [
      ...assertion.contributions,
      { name: "joined since", value: `${joined.size} accounts that send other inputs under its wordings` },
    ],
  };
}
