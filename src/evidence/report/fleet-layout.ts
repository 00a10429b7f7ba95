// Where the fleet's picture has its parts: accounts on the left, what they share on the right, lines between.
import type { FleetPicture } from "../fleet.ts";
import { visible } from "../visible-text.ts";

const ROW = 13;
const TOP = 24;
/** Points or pixels. */
export const FLEET_WIDTH = 500;
const ACCOUNT_X = 160;
const FACT_X = 300;

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
}

export interface FleetLayout {
  readonly width: number;
  readonly height: number;
  readonly texts: readonly FleetText[];
  readonly lines: readonly FleetLine[];
  readonly dots: readonly { readonly x: number; readonly y: number }[];
}

export function layOut({ accounts, facts }: FleetPicture): FleetLayout {
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
    const text = `${fact.kind}: ${visible(fact.value, 30)} (${fact.accounts.length})`;
    texts.push({ x: FACT_X + 7, y, text, align: "left", bold: false });
    for (const account of fact.accounts) {
      const from = accountY.get(account);
      if (from !== undefined) lines.push({ x1: ACCOUNT_X, y1: from, x2: FACT_X, y2: y });
    }
  }
  return { width: FLEET_WIDTH, height, texts, lines, dots };
}
