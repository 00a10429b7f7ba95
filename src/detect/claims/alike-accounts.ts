// Words what the judge of alike accounts found: one source behind accounts that share nothing else.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, listParameter, numberParameter } from "../catalog.ts";
import {
  type AlikeParameters,
  type Cohort,
  judgeAlike,
  type ListWorker,
  surveyAlike,
  visitorsOf,
} from "../judges/alike-accounts.ts";
import type { Visitor } from "../judges/turn-takers.ts";
import { followUpRowsOf, identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";
import { turnParametersOf, turnsText } from "./turns.ts";

export async function alikeAccounts(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const parameters = parametersOf(detector, options);
  const { growLevel } = parameters;
  const rows = await rowsOf<ListWorker>(store, detector, options);
  const survey = await surveyAlike(rows, parameters);
  const accounts = visitorsOf(survey);
  const visitors =
    accounts.length === 0
      ? []
      : await followUpRowsOf<Visitor>(store, detector, options, {
          statement: "visits",
          parameters: { accounts },
        });
  const cohorts = await judgeAlike(survey, visitors, parameters);
  return cohorts
    .filter((cohort) => cohort.adjusted <= options.level || cohort.pValue <= growLevel)
    .map((cohort) => ({
      ...assertionOf(detector, cohort, {
        judged: cohorts.length,
        workers: rows.length,
        level: options.level,
      }),
      onlyGrows: cohort.adjusted > options.level,
    }));
}

function parametersOf(detector: Detector, { nowMs, level, accused }: RunOptions): AlikeParameters {
  return {
    nowMs,
    level,
    accused: accused ?? new Set(),
    minInputs: numberParameter(detector, "minInputs"),
    minAccounts: numberParameter(detector, "minAccounts"),
    radius: numberParameter(detector, "radius"),
    textWeight: numberParameter(detector, "textWeight"),
    settlingHours: numberParameter(detector, "settlingHours"),
    startHours: listParameter(detector, "startHours"),
    minLoadOdds: numberParameter(detector, "minLoadOdds"),
    minDistinctShare: numberParameter(detector, "minDistinctShare"),
    maxSampled: numberParameter(detector, "maxSampled"),
    growLevel: numberParameter(detector, "growLevel"),
    ...turnParametersOf(detector),
  };
}

interface Calibration {
  readonly judged: number;
  readonly workers: number;
  readonly level: number;
}

function assertionOf(detector: Detector, cohort: Cohort, { judged, workers, level }: Calibration): Assertion {
  const { members } = cohort;
  const inputs = members.reduce((sum, member) => sum + member.inputs, 0);
  const tokens = members.reduce((sum, member) => sum + member.tokens, 0);
  const oldest = members.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  return {
    ...identityOf(detector),
    accounts: members.map((member) => member.account),
    pValue: cohort.adjusted,
    eValue: null,
    errorRate: `False discovery rate ${share(level)} over ${judged} groups of alike accounts (Benjamini-Hochberg; p-value shown is adjusted). Null: beginnings exchangeable with those of ${workers} accounts that work through lists, a breadth of theirs that is mirrored from its lower half, and visits independent of each other.`,
    summary: `${members.length} accounts ask about the same matters in the same shape, never twice and without follow-ups: ${inputs} inputs, as if from one source.`,
    contributions: [
      {
        name: "beginning",
        value: `within ${cohort.startHours} h from ${new Date(cohort.fromMs).toISOString()}, p = ${figure(cohort.start)}`,
      },
      {
        name: "breadth of what is asked",
        value: `${cohort.broad} of ${cohort.size} alike accounts beyond the range of list workers, p = ${figure(cohort.breadth)}`,
      },
      {
        name: "turns",
        value: turnsText(cohort.between, cohort.turns),
      },
      { name: "odds of even loads, no part of the claim", value: figure(cohort.loadOdds) },
      { name: "different ones among their inputs", value: share(cohort.distinctShare) },
      {
        name: "self-similarity of an account's inputs",
        value: `${figure(cohort.selfSimilarity)} (small: it asks about everything)`,
      },
      {
        name: "estimated take",
        value: `${inputs} distinct inputs, ${figure(tokens)} tokens ${sinceText(oldest.sinceMs)}`,
      },
      {
        name: "exemplars",
        value: members
          .flatMap((member) => member.exemplars)
          .slice(0, 5)
          .join(", "),
      },
    ],
    anchor: oldest.account,
  };
}
