// Words what the wording judge found: one list of inputs dealt out under shared wordings.
import { type Assertion, figure, share } from "../assertion.ts";
import { type Detector, listParameter, numberParameter } from "../catalog.ts";
import { groupSameHand } from "../judges/same-hand.ts";
import {
  judgeWordings,
  MIN_PERSISTENT,
  membersOf,
  sampleOf,
  surveyWordings,
  visitorsOf,
  WHOLE_USERS,
  type WordingFamily,
  type WordingMember,
  type WordingParameters,
  type WordingUse,
  type WordingVisitor,
} from "../judges/shared-wording.ts";
import { SKETCH_SIZE, type WordingCount } from "../judges/wording-families.ts";
import { followUpRowsOf, identityOf, type Readable, type RunOptions, rowsOf, sinceText } from "./claim.ts";
import { turnParametersOf, turnsText } from "./turns.ts";

export async function wordings(
  store: Readable,
  detector: Detector,
  options: RunOptions,
): Promise<Assertion[]> {
  const parameters = parametersOf(detector, options);
  const counts = await rowsOf<WordingCount>(store, detector, options, {
    hourLevels: parameters.hourLevels,
    minPersistent: MIN_PERSISTENT,
    sketchSize: SKETCH_SIZE,
    wholeUsers: WHOLE_USERS,
  });
  const survey = surveyWordings(counts, parameters);
  if (survey.suspects.length === 0) return [];
  const { affixes, users } = sampleOf(survey);
  const sample = await followUpRowsOf<WordingUse>(store, detector, options, {
    statement: "sample",
    parameters: { affixes: affixes.map(BigInt), users },
  });
  const visiting = visitorsOf(survey);
  const visitors =
    visiting.length === 0
      ? []
      : await followUpRowsOf<WordingVisitor>(store, detector, options, {
          statement: "visits",
          parameters: { users: visiting },
        });
  const judged = await judgeWordings(survey, { sample, visitors }, parameters);
  const claimed = judged.filter((family) => family.adjusted <= options.level);
  if (claimed.length === 0) return [];
  const uses = await followUpRowsOf<WordingMember>(store, detector, options, {
    statement: "members",
    parameters: { affixes: claimed.flatMap((family) => family.standing).map(BigInt) },
  });
  const usesOf = Map.groupBy(uses, (use) => use.affix);
  const found = claimed
    .map((family) => ({ ...family, members: membersOf(family, usesOf) }))
    // Fewer members than a wording must have to be judged are people who happen to come back to it.
    .filter(({ members }) => members.length >= parameters.minAccounts);
  const groups = groupSameHand(found, {
    sameLevel: numberParameter(detector, "sameLevel"),
    sameMatter: numberParameter(detector, "sameMatter"),
  });
  return groups.map((group) =>
    wordingAssertion(detector, group, { judged: survey.tested, level: options.level }),
  );
}

function parametersOf(detector: Detector, { nowMs, level, accused }: RunOptions): WordingParameters {
  return {
    nowMs,
    level,
    accused: accused ?? new Set(),
    minAccounts: numberParameter(detector, "minAccounts"),
    minOwnPrivateShare: numberParameter(detector, "minOwnPrivateShare"),
    hourLevels: listParameter(detector, "hourLevels"),
    startHours: listParameter(detector, "startHours"),
    alikeMargin: numberParameter(detector, "alikeMargin"),
    minLoadOdds: numberParameter(detector, "minLoadOdds"),
    setAside: numberParameter(detector, "setAside"),
    memberLevel: numberParameter(detector, "memberLevel"),
    familyOverlap: numberParameter(detector, "familyOverlap"),
    kinOverlap: numberParameter(detector, "kinOverlap"),
    ...turnParametersOf(detector),
  };
}

function wordingAssertion(
  detector: Detector,
  group: readonly WordingFamily[],
  { judged, level }: { readonly judged: number; readonly level: number },
): Assertion {
  const members = group.flatMap((family) => family.members);
  const oldest = members.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  const inputs = group.reduce((sum, family) => sum + inputsUnder(family), 0);
  const accounts = [...new Set(members.map((member) => member.account))];
  return {
    ...identityOf(detector),
    accounts,
    // The weakest of the grouped claims: each stands on its own.
    pValue: Math.max(...group.map((family) => family.adjusted)),
    eValue: null,
    errorRate: `False discovery rate ${share(level)} over the ${judged} wordings that several accounts shared (Benjamini-Hochberg; p-value shown is adjusted). Null: independent users of a popular wording, fitted to the other wordings, who come independently of each other.`,
    summary: `${accounts.length} accounts work through one list: ${inputs} inputs under ${group.length === 1 ? "one wording" : `${group.length} wordings`}, almost none of them ever repeated by anybody.`,
    contributions: [
      ...group.slice(0, 8).flatMap((family, index) => [
        {
          name: `persistent users (${index + 1})`,
          value: `${family.persistent} of ${family.sharers} sharers${partOf(family)} over ${family.level} or more hours, p = ${figure(family.persistence)}`,
        },
        {
          name: `likeness of topics (${index + 1})`,
          value: `between-account share ${figure(family.between)}, p = ${figure(family.likeness)}`,
        },
        {
          name: `common beginning (${index + 1})`,
          value: `p = ${figure(family.start)}`,
        },
        {
          name: `turns (${index + 1})`,
          value: turnsText(family.betweenVisits, family.turns),
        },
        {
          name: `odds of even rates (${index + 1}), which can only veto`,
          value: figure(family.loadOdds),
        },
        {
          name: `wordings (${index + 1})`,
          value: `${family.affixes.length} (keyed hashes) ${family.affixes.slice(0, 5).join(", ")}`,
        },
      ]),
      {
        name: "estimated take",
        value: `${inputs} distinct inputs ${sinceText(oldest.sinceMs)}`,
      },
    ],
    wordings: [...new Set(group.flatMap((family) => family.standing))],
    anchor: oldest.account,
  };
}

/** Where the users of a wording were counted in part, its members still are all known, and so are their inputs. */
function inputsUnder({ halvings, inputs, members }: WordingFamily): number {
  return halvings === 0 ? inputs : members.reduce((sum, member) => sum + member.inputs, 0);
}

function partOf({ halvings }: WordingFamily): string {
  return halvings === 0 ? "" : ` (a random part: one in ${2 ** halvings})`;
}
