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
    }
    const touched = populations.filter(({ accountsTouched }) => accountsTouched > 0);
    if (touched.length === 0) console.log("  honest accounts refused or reduced: none");
    for (const { population, accounts, accountsTouched, exchanges } of touched) {
      const parts = `${exchanges.refused} answers refused, ${exchanges.reduced} reduced`;
      console.log(`  ${population}: ${accountsTouched} of ${accounts} accounts touched (${parts})`);
    }
    if (minutesToEffect.length > 0) {
      const mean = minutesToEffect.reduce((sum, one) => sum + one, 0) / minutesToEffect.length;
      console.log(`  from finding to effect: ${mean.toFixed(0)} minutes (approval, delay and jitter)`);
    }
  }
}

export function printSummary({
  propagation: { poll, redis, decisions },
  paired,
  median,
  mostServed,
}: {
  propagation: Propagation;
  paired: Paired;
  median: number | null;
  mostServed: number;
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
  if (median === null) return;
  const verdict = median <= mostServed ? "met" : "MISSED";
  console.log(
    `median share of a fleet's harvest served under quarantine: ${percent(median)} (at most ${percent(mostServed)}: ${verdict})`,
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
