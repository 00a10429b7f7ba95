// Judges on rows made by hand: what each of them must and must not say, without the engine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EMBEDDING_DIMENSIONS, EMBEDDING_LENGTH } from "../../src/detect/features/embedding.ts";
import {
  type AlikeParameters,
  type Cohort,
  judgeAlike,
  type ListWorker,
  surveyAlike,
} from "../../src/detect/judges/alike-accounts.ts";
import {
  judgeLinks,
  type LinkableAccount,
  type LinkedCluster,
  surveyLinks,
} from "../../src/detect/judges/linked-accounts.ts";
import { groupSameHand } from "../../src/detect/judges/same-hand.ts";
import type { WordingFamily } from "../../src/detect/judges/shared-wording.ts";

const HOUR_MS = 3_600_000;

function family(name: string, startHour: number, inputs: number, matter: readonly number[]): WordingFamily {
  return {
    affixes: [name],
    standing: [name],
    members: Array.from({ length: 12 }, (_, index) => ({
      account: `${name}-${index}`,
      inputs: inputs + (index % 3),
      hours: 4,
      sinceMs: (startHour + index / 7) * HOUR_MS,
    })),
    persistence: 1e-6,
    loadOdds: 100,
    likeness: 1e-6,
    start: 1,
    turns: 1,
    betweenVisits: Number.NaN,
    pValue: 1e-6,
    adjusted: 1e-5,
    halvings: 0,
    sharers: 12,
    persistent: 12,
    level: 4,
    inputs: 12 * inputs,
    between: 0,
    matter,
  };
}

test("wordings with one start, one pace and one matter are grouped; others stay apart", () => {
  const families = [
    family("a", 5, 20, [1, 0.2, 0]),
    family("b", 5.05, 20, [0.9, 0.4, 0.1]),
    family("later", 200, 20, [1, 0.2, 0]),
    family("busier", 5, 90, [1, 0.2, 0]),
    family("other-matter", 5, 20, [-0.2, 0, 1]),
  ];
  const groups = groupSameHand(families, { sameLevel: 0.01, sameMatter: 0.4 });
  assert.deepEqual(
    groups.map((group) => group.map((one) => one.affixes[0])),
    [["a", "b"], ["later"], ["busier"], ["other-matter"]],
  );
});

function linkable(index: number, change: Partial<LinkableAccount> = {}): LinkableAccount {
  return {
    account: `account-${String(index).padStart(4, "0")}`,
    payment: String(1_000 + index),
    organization: "0",
    domain: "77",
    ips: [String(5_000 + index)],
    wording: "0",
    inputs: 0,
    hours: 0,
    sinceMs: 0,
    ...change,
  };
}

const LINK_PARAMETERS = {
  maxShare: 0.05,
  minWeight: 4,
  minAccounts: 3,
  hourLevels: [4, 12],
  alikeMargin: 0.1,
  startHours: [2, 12, 48],
  setAside: 0.001,
  level: 0.01,
};

/** @param sumOf of the embeddings of a worker's inputs */
function judgedLinks(
  rows: readonly LinkableAccount[],
  sumOf: (nth: number) => readonly number[] = () => [400, 0],
): LinkedCluster[] {
  const survey = surveyLinks(rows, LINK_PARAMETERS);
  const traffic = survey.suspects
    .flatMap(({ workers }) => workers)
    .map(({ account, inputs }, nth) => ({
      account,
      inputs,
      sum: sumOf(nth),
      squares: 5_000,
      exemplars: [],
    }));
  return judgeLinks(survey, traffic, LINK_PARAMETERS);
}

test("a fact that everybody shares links nobody; the order of rows changes nothing", () => {
  const judged = judgedLinks;
  const crowd = Array.from({ length: 600 }, (_, index) => linkable(index));
  assert.deepEqual(judged(crowd), []);
  const worker = { payment: "1", wording: "9", inputs: 40, hours: 20 };
  const rows = [...crowd, ...Array.from({ length: 8 }, (_, index) => linkable(700 + index, worker))];
  const [first, ...rest] = judged(rows);
  assert.deepEqual(rest, []);
  assert.equal(first?.workers.length, 8);
  assert.ok((first?.adjusted ?? 1) < 0.01);
  assert.match(first?.links.join(" ") ?? "", /payment, shared by up to 8/);
  const [reversed] = judged([...rows].reverse());
  assert.deepEqual([...(reversed?.accounts ?? [])].sort(), first?.accounts);
  assert.equal(reversed?.pValue, first?.pValue);
});

test("linked workers whose topics and loads are their own are told by a common beginning alone", () => {
  // Each has topics of its own and a load of its own; 30 unlinked workers began when they liked.
  const ownTopics = (nth: number): readonly number[] =>
    Array.from({ length: 8 }, (_, topic) => (topic === nth ? 440 : 0));
  const crowd = Array.from({ length: 600 }, (_, index) =>
    linkable(index, index < 30 ? { wording: "8", inputs: 20, hours: 9, sinceMs: index * 9 * HOUR_MS } : {}),
  );
  const workers = (startMs: (nth: number) => number): LinkableAccount[] =>
    Array.from({ length: 8 }, (_, nth) =>
      linkable(700 + nth, {
        payment: "1",
        wording: "9",
        inputs: 8 * 2 ** nth,
        hours: 20,
        sinceMs: startMs(nth),
      }),
    );
  const level = (rows: readonly LinkableAccount[]): number | undefined =>
    judgedLinks([...crowd, ...rows], ownTopics)[0]?.adjusted;
  assert.ok((level(workers((nth) => 100 * HOUR_MS + nth * 60_000)) ?? 1) < 0.001);
  assert.equal(level(workers((nth) => nth * 33 * HOUR_MS)), 1);
});

function listWorker(index: number, group: number, sinceHour: number): ListWorker {
  const sum = Array.from({ length: EMBEDDING_DIMENSIONS }, (_, d) =>
    d === group ? 20 * EMBEDDING_LENGTH * 0.6 : 0,
  );
  return {
    account: `worker-${group}-${String(index).padStart(3, "0")}`,
    organization: "0",
    marks: [],
    inputs: 20,
    texts: 20,
    sample: [1000 * index + group],
    hours: 8,
    days: 9,
    sinceMs: sinceHour * HOUR_MS,
    untilMs: 200 * HOUR_MS,
    askedMean: 4 + group,
    askedSpread: 0.3,
    answeredMean: 5 - group,
    answeredSpread: 0.3,
    sum,
    squares: 20 * EMBEDDING_LENGTH ** 2,
    tokens: 400,
    exemplars: [],
  };
}

const ALIKE_PARAMETERS: Omit<AlikeParameters, "accused"> = {
  nowMs: 200 * HOUR_MS,
  minInputs: 5,
  minAccounts: 4,
  radius: 1.2,
  textWeight: 20,
  settlingHours: 24,
  startHours: [2, 12, 48],
  minLoadOdds: 3,
  minDistinctShare: 0.7,
  maxSampled: 64,
  growLevel: 0.01,
  turnShiftMinutes: 10,
  minBetween: 0.8,
  maxTurnDraws: 50_000,
  visitMinutes: 2,
  maxVisits: 120,
  level: 0.01,
};

/** Without visits: nobody takes turns. */
async function cohortsOf(
  rows: readonly ListWorker[],
  accused: ReadonlySet<string> = new Set(),
): Promise<Cohort[]> {
  const parameters = { ...ALIKE_PARAMETERS, accused };
  return judgeAlike(await surveyAlike(rows, parameters), [], parameters);
}

const CROWD = Array.from({ length: 24 }, (_, index) => listWorker(index, 3 + (index % 3), index * 8));

test("who began with accused accounts by chance is not accused with them, and who joined them is", async () => {
  const campaign = Array.from({ length: 12 }, (_, index) => listWorker(index, 1, 60 + index / 8));
  const accused = new Set(campaign.map(({ account }) => account));
  // Alike, and about as many at any time: two of them within the campaign's hours.
  const alike = Array.from({ length: 14 }, (_, index) => listWorker(100 + index, 1, 30 + 5 * index));
  const joiners = Array.from({ length: 4 }, (_, index) => listWorker(200 + index, 1, 61 + index / 8));
  const claimed = async (rows: readonly ListWorker[]): Promise<number> => {
    const [first] = await cohortsOf([...rows, ...CROWD], accused);
    return first?.members.filter(({ account }) => !accused.has(account)).length ?? 0;
  };
  assert.equal(await claimed([...campaign, ...alike]), 0);
  assert.equal(await claimed([...campaign, ...joiners]), 4);
});

test("who comes so rarely that it may have come before has no known beginning", async () => {
  const startOf = async (days: number): Promise<number> => {
    const rows = Array.from({ length: 8 }, (_, index) => ({ ...listWorker(index, 1, 60 + index / 8), days }));
    const cohorts = await cohortsOf([...rows, ...CROWD]);
    return cohorts.find(({ size }) => size === rows.length)?.start ?? 1;
  };
  assert.ok((await startOf(6)) < 1e-4); // six days of six
  assert.equal(await startOf(2), 1);
});

test("that a measure stopped some of a campaign does not make its loads uneven", async () => {
  // Twelve that began together and ask alike; eight of them were stopped after ten hours.
  const rows = Array.from({ length: 12 }, (_, index) => {
    const worker = listWorker(index, 1, 60 + index / 8);
    return index < 8 ? { ...worker, inputs: 7, untilMs: 71 * HOUR_MS } : { ...worker, inputs: 60 };
  });
  const oddsOf = async (accused: readonly ListWorker[]): Promise<number> => {
    const cohorts = await cohortsOf([...rows, ...CROWD], new Set(accused.map(({ account }) => account)));
    return cohorts.find(({ size }) => size === rows.length)?.loadOdds ?? 0;
  };
  assert.ok((await oddsOf([])) < 3);
  assert.ok((await oddsOf(rows.slice(0, 8))) > 3);
});

test("an accused half of a campaign is no standard for when its other half began", async () => {
  const halves = [1, 2].flatMap((group) =>
    Array.from({ length: 8 }, (_, index) => listWorker(index, group, 60 + index / 8)),
  );
  const startOf = async (
    accused: readonly ListWorker[],
    rows: readonly ListWorker[],
    group: number,
  ): Promise<number> => {
    const cohorts = await cohortsOf(rows, new Set(accused.map(({ account }) => account)));
    const own = cohorts.find(({ members }) =>
      members.some(({ account }) => account.startsWith(`worker-${group}-`)),
    );
    return own?.start ?? 1;
  };
  const rows = [...halves, ...CROWD];
  const first = halves.slice(0, 8);
  assert.ok((await startOf([], rows, 2)) > 0.01);
  assert.ok((await startOf(first, rows, 2)) < 1e-3);
  const apart = [...first, ...first.map((_, index) => listWorker(index, 2, 30 + index * 20)), ...CROWD];
  assert.ok(
    (await startOf(first, apart, 2)) > 0.05,
    "whoever began when it liked is not accused by what others did",
  );
});
