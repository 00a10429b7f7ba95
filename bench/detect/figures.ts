// The figures that detection is promised to reach, computed from scored worlds and printed beside their targets.
import { type Interval, shareInterval } from "../../src/core/statistics/binomial-interval.ts";
import type { WorldResult } from "./world-run.ts";
import type { Fleet } from "./worlds.ts";

export interface Figure {
  readonly name: string;
  readonly target: string;
  readonly measured: string;
  /** null: reported, not judged. */
  readonly met: boolean | null;
}

const BIG_FLEET = 10;

export function figuresOf(results: readonly WorldResult[]): Figure[] {
  const plain = results.filter((result) => result.control === null);
  const quiet = results.filter((result) => result.control === "no-attack");
  return [
    ...fleetFigures(plain.flatMap((result) => result.score.fleets)),
    ...accusationFigures(plain, quiet),
    ...controlFigures(results),
    ...baselineFigures(plain),
  ];
}

function fleetFigures(fleets: readonly Fleet[]): Figure[] {
  const probes = fleets.filter((fleet) => fleet.family === "logits");
  const big = fleets.filter((fleet) => fleet.size >= BIG_FLEET);
  const single = fleets.filter((fleet) => fleet.size === 1 && fleet.family !== "logits");
  const covered = fleets.filter((fleet) => fleet.mixing >= 0.75);
  const found = big.filter((fleet) => fleet.detected);
  const leaked = (list: readonly Fleet[]): number => median(list.map((fleet) => fleet.leaked_share));
  const recall = mean(found.map((fleet) => fleet.account_recall ?? 0));
  const purity = mean(found.map((fleet) => fleet.purity ?? 0));
  return [
    {
      name: `fleets of ${BIG_FLEET} or more accounts found`,
      target: "95 %",
      measured: counted(found.length, big.length),
      met: big.length === 0 ? null : found.length >= 0.95 * big.length,
    },
    atMost("median share of harvest served when found, such fleets", 0.1, big.length, leaked(big)),
    atMost("the same, single accounts", 0.03, single.length, leaked(single)),
    atMost(
      "the same, three quarters or more cover traffic (worst)",
      0.35,
      covered.length,
      Math.max(0, ...covered.map((fleet) => fleet.leaked_share)),
    ),
    atLeast("account recall inside found campaigns (mean)", 0.9, found.length, recall),
    atLeast("purity of found campaigns (mean)", 0.95, found.length, purity),
    {
      name: "all fleets found, of any size",
      target: "reported",
      measured: counted(fleets.filter((fleet) => fleet.detected).length, fleets.length),
      met: null,
    },
    {
      name: "parameter stealing found",
      target: "all",
      measured: counted(probes.filter((fleet) => fleet.detected).length, probes.length),
      met: probes.length === 0 ? null : probes.every((fleet) => fleet.detected),
    },
  ];
}

/** Fewer worlds say too little of a rate of one in a hundred. */
const MIN_WORLD_SEEDS = 20;
/** Honest look-alikes that the project promises to report one by one. */
const NAMED_POPULATIONS = ["evaluators", "resellers", "campus", "users of a shared tool", "company"] as const;

function accusationFigures(plain: readonly WorldResult[], quiet: readonly WorldResult[]): Figure[] {
  const all = [...plain, ...quiet];
  const wrongQuiet = sum(quiet.map((result) => result.score.overall.benign_flagged));
  const accounts = sum(quiet.map((result) => result.score.overall.benign_accounts));
  const kinds = all.flatMap((result) => Object.values(result.score.overall.findings_by_kind));
  const findings = sum(kinds.map((kind) => kind.findings));
  const wrong = sum(kinds.map((kind) => kind.false));
  const touched = quiet.filter((result) => result.score.overall.benign_flagged > 0).length;
  return [
    {
      name: `honest accounts accused in ${quiet.length} worlds without an attacker`,
      target: "none",
      measured: `${wrongQuiet} of ${accounts}; in ${touched} worlds (95 % interval of such worlds ${intervalText(shareInterval(touched, quiet.length))})`,
      met: quiet.length === 0 ? null : wrongQuiet === 0,
    },
    {
      name: `false findings at a declared rate of 1 %, ${all.length} world-seeds`,
      target: `1 % over ${MIN_WORLD_SEEDS} or more`,
      measured: `${counted(wrong, findings)} (95 % interval ${intervalText(shareInterval(wrong, findings))})`,
      met: findings === 0 || all.length < MIN_WORLD_SEEDS ? null : wrong <= 0.01 * findings,
    },
    {
      name: "realised false discovery rate (mean over world-seeds of the false share)",
      target: "1 % or less",
      measured: percent(mean(all.map(falseShareOf))),
      met: all.length < MIN_WORLD_SEEDS ? null : mean(all.map(falseShareOf)) <= 0.01,
    },
    ...populationFigures(all),
  ];
}

/** A world without findings has no false ones: that is how the rate is defined. */
function falseShareOf({ score }: WorldResult): number {
  const kinds = Object.values(score.overall.findings_by_kind);
  return sum(kinds.map((kind) => kind.false)) / Math.max(1, sum(kinds.map((kind) => kind.findings)));
}

function populationFigures(all: readonly WorldResult[]): Figure[] {
  const populations = new Map<string, { accounts: number; flagged: number }>();
  for (const { honest } of all) {
    for (const [name, one] of Object.entries(honest)) {
      const known = populations.get(name) ?? { accounts: 0, flagged: 0 };
      populations.set(name, {
        accounts: known.accounts + one.accounts,
        flagged: known.flagged + one.flagged,
      });
    }
  }
  const named: readonly string[] = NAMED_POPULATIONS;
  const order = [...named, ...[...populations.keys()].filter((name) => !named.includes(name)).sort()];
  return order.flatMap((name) => {
    const { accounts, flagged } = populations.get(name) ?? { accounts: 0, flagged: 0 };
    if (accounts === 0) return [];
    return [
      {
        name: `honest accounts accused: ${name}`,
        target: "reported",
        measured: `${flagged} of ${accounts} (95 % interval ${intervalText(shareInterval(flagged, accounts))})`,
        met: null,
      },
    ];
  });
}

function controlFigures(results: readonly WorldResult[]): Figure[] {
  return (["shuffle-infrastructure", "shuffle-prompts"] as const).flatMap((control) => {
    const fleets = results.filter((one) => one.control === control).flatMap((one) => one.score.fleets);
    if (fleets.length === 0) return [];
    const big = fleets.filter((fleet) => fleet.size >= BIG_FLEET);
    return [
      {
        name: `fleets of ${BIG_FLEET} or more found, ${control}`,
        target: "reported",
        measured: `${counted(big.filter((fleet) => fleet.detected).length, big.length)}, median leak ${percent(median(big.map((fleet) => fleet.leaked_share)))}`,
        met: null,
      },
    ];
  });
}

function baselineFigures(plain: readonly WorldResult[]): Figure[] {
  const names = [...new Set(plain.flatMap((result) => result.baselines.map((one) => one.name)))];
  return names.map((name) => {
    const scores = plain.flatMap((result) => result.baselines.filter((one) => one.name === name));
    const big = scores.flatMap((one) => one.score.fleets).filter((fleet) => fleet.size >= BIG_FLEET);
    const wrong = sum(scores.map((one) => one.score.overall.benign_flagged));
    const honest = sum(scores.map((one) => one.score.overall.benign_accounts));
    return {
      name: `naive detector, ${name}`,
      target: "for scale",
      measured: `${counted(big.filter((fleet) => fleet.detected).length, big.length)} big fleets, median leak ${percent(median(big.map((fleet) => fleet.leaked_share)))}; ${wrong} of ${honest} honest accounts accused`,
      met: null,
    };
  });
}

function atMost(name: string, limit: number, cases: number, value: number): Figure {
  return {
    name: `${name}, ${cases}`,
    target: `${percent(limit)} or less`,
    measured: cases === 0 ? "none" : percent(value),
    met: cases === 0 ? null : value <= limit,
  };
}

function atLeast(name: string, limit: number, cases: number, value: number): Figure {
  return {
    name,
    target: percent(limit),
    measured: cases === 0 ? "none" : percent(value),
    met: cases === 0 ? null : value >= limit,
  };
}

export function printFigures(figures: readonly Figure[]): void {
  const width = (cell: (figure: Figure) => string): number =>
    Math.max(...figures.map((one) => cell(one).length));
  const names = width((one) => one.name);
  const targets = width((one) => one.target);
  for (const { name, target, measured, met } of figures) {
    const mark = met === null ? "   " : met ? "yes" : "NO ";
    console.log(`${mark}  ${name.padEnd(names)}  ${target.padEnd(targets)}  ${measured}`);
  }
}

export function printWorlds(results: readonly WorldResult[]): void {
  for (const { name, score, looks, slowestLookSeconds, failures } of results) {
    const { benign_flagged: wrong, benign_accounts: honest } = score.overall;
    console.log(
      `\n${name}: ${wrong} of ${honest} honest accounts accused; ${looks} looks, slowest ${slowestLookSeconds.toFixed(2)} s`,
    );
    for (const failure of failures) console.log(`  failed: ${failure}`);
    for (const fleet of score.fleets) {
      const state = fleet.detected ? `found at ${percent(fleet.leaked_share)}` : "missed";
      console.log(
        `  ${fleet.family}, ${fleet.size} accounts, ${percent(fleet.mixing)} cover: ${state}, recall ${percent(fleet.account_recall ?? 0)}, purity ${fleet.purity === null ? "-" : percent(fleet.purity)}`,
      );
    }
  }
}

function counted(hits: number, of: number): string {
  return of === 0 ? "none" : `${hits} of ${of}, ${percent(hits / of)}`;
}

function intervalText({ from, to }: Interval): string {
  return `${percent(from)} to ${percent(to)}`;
}

function percent(value: number): string {
  return Number.isFinite(value) ? `${Number((100 * value).toPrecision(3))} %` : "-";
}

function median(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const middle = ordered.length >> 1;
  const upper = ordered[middle] ?? Number.NaN;
  return ordered.length % 2 === 1 ? upper : ((ordered[middle - 1] ?? Number.NaN) + upper) / 2;
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
