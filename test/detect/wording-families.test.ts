// Families in the null: a campaign with many templates counts once, and so can't hide behind itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { surveyWordings, type WordingParameters } from "../../src/detect/judges/shared-wording.ts";
import { SKETCH_SIZE, speakersOf, type WordingCount } from "../../src/detect/judges/wording-families.ts";
import { generator } from "../statistics/generator.ts";

const HASHES = 2 ** 32;
const KIN = { kinOverlap: 0.5, minAccounts: 5 };

/** @param users their hashes, in any order */
function wording(affix: number, users: readonly number[], change: Partial<WordingCount> = {}): WordingCount {
  const ascending = [...users].sort((a, b) => a - b);
  return {
    affix: String(affix),
    halvings: 0,
    sharers: users.length,
    inputs: 2 * users.length,
    hits: [users.length, 0, 0],
    fingerprint: ascending.join(),
    users: ascending.slice(0, SKETCH_SIZE),
    startsMs: [],
    ...change,
  };
}

function drawn(random: () => number, size: number): number[] {
  return Array.from({ length: size }, () => Math.floor(random() * HASHES));
}

const namesOf = (counts: readonly WordingCount[]): string[] => counts.map(({ affix }) => affix).sort();

test("of wordings with mostly the same users the one with most inputs speaks", () => {
  const random = generator(1);
  const campaign = drawn(random, 100);
  const strangers = drawn(random, 40);
  const counts = [
    wording(1, campaign),
    wording(2, campaign.slice(0, 40)),
    wording(3, [...campaign.slice(50, 70), ...strangers.slice(0, 15)]),
    wording(4, [...campaign.slice(0, 10), ...strangers.slice(0, 30)]),
    wording(5, strangers, { inputs: 200 }),
    wording(6, campaign.slice(0, 4)), // too few to be judged
    wording(7, campaign, { users: [], inputs: 3 }), // nobody came back
  ];
  assert.deepEqual(namesOf(speakersOf(counts, KIN)), ["1", "5", "6", "7"]);
  assert.deepEqual(namesOf(speakersOf([...counts].reverse(), KIN)), ["1", "5", "6", "7"]);
});

test("users of a wording that is known in part are compared as far as it is known", () => {
  const random = generator(2);
  const many = drawn(random, 1_000);
  const part = many.filter((user) => user < HASHES / 2);
  const large = wording(1, part, { halvings: 1 });
  const lowest = large.users.at(-1) ?? 0;
  assert.ok(
    large.users.length === SKETCH_SIZE && lowest < HASHES / 4,
    "the sketch is cut, and the users are halved",
  );
  const within = wording(2, many.slice(0, 300));
  const beside = wording(3, [...many.slice(0, 60), ...drawn(random, 240)]);
  assert.deepEqual(namesOf(speakersOf([large, within, beside], KIN)), ["1", "3"]);
});

test("a campaign of dozens of templates is as suspect as one of a single template", () => {
  const random = generator(3);
  const accounts = drawn(random, 100);
  const honest = Array.from({ length: 40 }, (_, index) =>
    wording(1_000 + index, drawn(random, 8), { hits: [index % 8 === 0 ? 1 : 0, 0, 0], users: [] }),
  );
  const largest = wording(1, accounts, { hits: [45, 3, 0] });
  const templates = Array.from({ length: 24 }, (_, index) => {
    const users = accounts.filter(() => random() < 0.4);
    return wording(2 + index, users, { hits: [Math.round(users.length * 0.25), 0, 0] });
  });
  const persistence = (counts: readonly WordingCount[], kinOverlap: number): number => {
    const survey = surveyWordings(counts, { ...PARAMETERS, kinOverlap });
    return survey.suspects.find(({ wordings: [leader] }) => leader?.affix === "1")?.persistence ?? 1;
  };
  const alone = persistence([...honest, largest], 0.5);
  assert.ok(alone < 1e-4, `${alone}`);
  assert.ok(persistence([...honest, largest, ...templates], 0.5) < 10 * alone);
  assert.ok(persistence([...honest, largest, ...templates], 2) > 100 * alone, "counted each, they hide it");
});

const PARAMETERS: WordingParameters = {
  ...KIN,
  nowMs: 0,
  minOwnPrivateShare: 0.9,
  hourLevels: [2, 4, 8],
  startHours: [2, 12, 48],
  alikeMargin: 0.1,
  minLoadOdds: 3,
  setAside: 0.001,
  memberLevel: 0.01,
  level: 1,
  familyOverlap: 0.5,
  accused: new Set(),
  turnShiftMinutes: 10,
  minBetween: 0.8,
  maxTurnDraws: 50_000,
  visitMinutes: 2,
  maxVisits: 120,
};
