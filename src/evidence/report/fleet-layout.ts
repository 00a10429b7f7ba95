// Where the fleet's picture has its parts: accounts on the left, what they share on the right, lines between.
import type { FleetPicture } from "../fleet.ts";
import { visible } from "../visible-text.ts";

const ROW = 13;
const TOP = 24;
/** Points or pixels. */
export const FLEET_WIDTH = 500;
const ACCOUNT_X = 150;
const FACT_X = 270;
/** Characters that fit to the right of a fact's dot. */
const FACT_CHARACTERS = 42;
/** Rounds of ordering; a picture this small is at rest after a few. */
const ROUNDS = 12;
/** Lines of one fact have one colour; neighbours differ in hue and lightness. */
const COLORS: readonly string[] = [
  "#1f5fa8",
  "#b5541c",
  "#2f7d5b",
  "#8a3f8f",
  "#7a6a12",
  "#a3304f",
  "#3f6f7f",
];

export interface FleetText {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly align: "left" | "right";
  readonly bold: boolean;
}

export interface FleetLine {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  readonly color: string;
}

export interface FleetLayout {
  readonly width: number;
  readonly height: number;
  readonly texts: readonly FleetText[];
  readonly lines: readonly FleetLine[];
  readonly dots: readonly { readonly x: number; readonly y: number }[];
}

/** Accounts with the same facts lie together, and facts beside their accounts, so that few lines cross. */
function ordered(picture: FleetPicture): Pick<FleetPicture, "accounts" | "facts"> {
  let accounts = [...picture.accounts];
  let facts = [...picture.facts];
  for (let round = 0; round < ROUNDS; round++) {
    const factAt = new Map(facts.map((fact, at) => [fact, at]));
    const account = (name: string): number =>
      middle(facts.filter((fact) => fact.accounts.includes(name)).map((fact) => factAt.get(fact) ?? 0));
    accounts = sortedBy(accounts, account);
    const accountAt = new Map(accounts.map((name, at) => [name, at]));
    const fact = ({ accounts: names }: FleetPicture["facts"][number]): number =>
      middle(names.map((name) => accountAt.get(name)).filter((at) => at !== undefined));
    facts = sortedBy(facts, fact);
  }
  return { accounts, facts };
}

/** What has no neighbours goes last. */
function middle(places: readonly number[]): number {
  if (places.length === 0) return Number.MAX_SAFE_INTEGER;
  return places.reduce((sum, place) => sum + place, 0) / places.length;
}

/** Stable: what is equal stays in the order of its names. */
function sortedBy<T>(list: readonly T[], key: (item: T) => number): T[] {
  return list
    .map((item) => ({ item, at: key(item) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

export function layOut(picture: FleetPicture): FleetLayout {
  const { accounts, facts } = ordered(picture);
  const rows = Math.max(accounts.length, facts.length * 2, 1);
  const height = TOP + rows * ROW + 6;
  const spread = (at: number, count: number): number => TOP + ((at + 0.5) * rows * ROW) / Math.max(count, 1);
  const accountY = new Map(accounts.map((account, at) => [account, spread(at, accounts.length)]));
  const texts: FleetText[] = [
    { x: ACCOUNT_X, y: 12, text: "Accounts", align: "right", bold: true },
    { x: FACT_X, y: 12, text: "What several of them have in common", align: "left", bold: true },
  ];
  const lines: FleetLine[] = [];
  const dots: { x: number; y: number }[] = [];
  for (const [account, y] of accountY) {
    texts.push({ x: ACCOUNT_X - 6, y, text: visible(account, 28), align: "right", bold: false });
    dots.push({ x: ACCOUNT_X, y });
  }
  for (const [at, fact] of facts.entries()) {
    const y = spread(at, facts.length);
    dots.push({ x: FACT_X, y });
    const free = FACT_CHARACTERS - fact.kind.length - String(fact.accounts.length).length - 5;
    const text = `${fact.kind}: ${visible(fact.value, Math.max(8, free))} (${fact.accounts.length})`;
    const color = COLORS[at % COLORS.length] ?? "";
    texts.push({ x: FACT_X + 7, y, text, align: "left", bold: false });
    for (const account of fact.accounts) {
      const from = accountY.get(account);
      if (from !== undefined) lines.push({ x1: ACCOUNT_X, y1: from, x2: FACT_X, y2: y, color });
    }
  }
  return { width: FLEET_WIDTH, height, texts, lines, dots };
}
