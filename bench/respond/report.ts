// Prints what response was measured to do.
import type { EnforcedRun } from "./enforced-run.ts";
import type { FleetTally } from "./labels.ts";
import type { Paired } from "./paired.ts";
import type { Propagation } from "./propagation.ts";

/** Share of the harvest that was served in full. What was reduced has lost what it was asked for. */
function servedShare({ harvest: { served, reduced, refused } }: FleetTally): number {
  const all = served + reduced + refused;
  return all === 0 ? 0 : served / all;
}

/** Median over all fleets of the runs; null without any. */
export function medianServed(runs: readonly EnforcedRun[]): number | null {
  const shares = runs.flatMap(({ fleets }) => fleets.map(servedShare)).sort((a, b) => a - b);
  if (shares.length === 0) return null;
  const middle = Math.floor(shares.length / 2);
  const [low = 0, high = 0] = [shares[middle - 1], shares[middle]];
  return shares.length % 2 === 1 ? high : (low + high) / 2;
}

export function printRuns(runs: readonly EnforcedRun[]): void {
  for (const { world, policy, fleets, populations, verdicts, minutesToEffect, seconds } of runs) {
    console.log(`\n${world}, policy ${policy}: ${verdicts} verdicts, ${seconds.toFixed(0)} s`);
    for (const fleet of fleets) {
      const { harvest, family, size } = fleet;
      const all = harvest.served + harvest.reduced + harvest.refused;
      const parts = `${harvest.served} served, ${harvest.reduced} reduced, ${harvest.refused} refused`;
      console.log(
        `  ${fleet.fleet} (${family}, ${size} accounts): ${percent(servedShare(fleet))} of ${all} served (${parts})`,
      );
      const { unfound, outside, deciding, mild } = fleet.served;
      const of = (count: number): string => percent(all === 0 ? 0 : count / all);
      console.log(
        `    before it was found ${of(unfound)}, by accounts not found with it ${of(outside)}, ` +
          `until the measure held ${of(deciding)}, under a milder measure ${of(mild)}`,
      );
    }
    const touched = populations.reduce((sum, { accountsTouched }) => sum + accountsTouched, 0);
    const honest = populations.reduce((sum, { accounts }) => sum + accounts, 0);
    console.log(`  honest accounts refused or reduced: ${touched} of ${honest}`);
    if (minutesToEffect.length > 0) {
      const mean = minutesToEffect.reduce((sum, one) => sum + one, 0) / minutesToEffect.length;
      console.log(`  from finding to effect: ${mean.toFixed(0)} minutes (approval, delay and jitter)`);
    }
  }
}

/** Honest accounts that were refused or reduced. */
export function touchedIn(runs: readonly EnforcedRun[]): number {
  return runs.reduce(
    (sum, { populations }) => sum + populations.reduce((more, one) => more + one.accountsTouched, 0),
    0,
  );
}

/** Honest accounts of all worlds together, by what they are and by policy. */
export function printPopulations(runs: readonly EnforcedRun[]): void {
  for (const policy of new Set(runs.map((run) => run.policy))) {
    const sums = new Map<
      string,
      { accounts: number; touched: number; refused: number; reduced: number; all: number }
    >();
    for (const { populations } of runs.filter((run) => run.policy === policy)) {
      for (const { population, accounts, accountsTouched, exchanges } of populations) {
        const sum = sums.get(population) ?? { accounts: 0, touched: 0, refused: 0, reduced: 0, all: 0 };
        sums.set(population, {
          accounts: sum.accounts + accounts,
          touched: sum.touched + accountsTouched,
          refused: sum.refused + exchanges.refused,
          reduced: sum.reduced + exchanges.reduced,
          all: sum.all + exchanges.refused + exchanges.reduced + exchanges.served,
        });
      }
    }
    console.log(`\nhonest accounts under the policy ${policy}`);
    console.log("  population     accounts  touched   answers  refused  reduced");
    for (const [name, { accounts, touched, all, refused, reduced }] of [...sums].sort()) {
      const cells = [accounts, touched, all, refused, reduced].map((count) => String(count).padStart(9));
      console.log(`  ${name.padEnd(13)}${cells.join("")}`);
    }
  }
}

export function printLive({
  propagation: { poll, redis, decisions },
  paired,
}: {
  propagation: Propagation;
  paired: Paired;
}): void {
  const line = ({ p50, p99, max }: Propagation["poll"]): string =>
    `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${max.toFixed(0)} ms`;
  console.log(`\nfrom a decision to both of two gateways, ${decisions} decisions`);
  console.log(`  one machine, by the poll: ${line(poll)} (promised: 1 s)`);
  console.log(`  over Redis:               ${line(redis)} (promised: 2 s)`);
  console.log(`a customer whom no measure concerns, ${paired.pairs} pairs, 20,000 others in quarantine`);
  console.log(
    `  without enforcement: p50 ${paired.without.p50.toFixed(2)} ms, p99 ${paired.without.p99.toFixed(2)} ms`,
  );
  console.log(
    `  with enforcement:    p50 ${paired.with.p50.toFixed(2)} ms, p99 ${paired.with.p99.toFixed(2)} ms`,
  );
  console.log(`  median difference within a pair: ${paired.medianDifferenceUs.toFixed(0)} us`);
}

/** What was promised, and whether it holds over all worlds. */
export function printPromises({
  runs,
  median,
  touched,
  mostServed,
}: {
  runs: readonly EnforcedRun[];
  median: number | null;
  touched: number;
  mostServed: number;
}): void {
  if (median !== null) {
    const quarantine = runs.filter(({ policy }) => policy === "quarantine");
    const fleets = quarantine.reduce((sum, run) => sum + run.fleets.length, 0);
    console.log(
      `\nmedian share of a fleet's harvest served under quarantine, ${fleets} fleets: ${percent(median)} (at most ${percent(mostServed)}: ${median <= mostServed ? "met" : "MISSED"})`,
    );
  }
  if (runs.some(({ policy }) => policy === "standard"))
    console.log(
      `honest accounts touched under the standard policy: ${touched} (none: ${touched === 0 ? "met" : "MISSED"})`,
    );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
