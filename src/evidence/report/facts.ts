// The report's figures: what was counted from the bundle's records, and what the accounts have in common.
import type { Statistics } from "../verify/statistics.ts";
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { day, figure, grouped } from "./figures.ts";
import type { ReportInput } from "./input.ts";

const ACCOUNTS_SHOWN = 60;

export function figureBlocks({ statistics, names }: ReportInput): Block[] {
  const { openings, endings } = statistics;
  return [
    { kind: "heading", text: "Facts: what the records show" },
    {
      kind: "text",
      text: "These figures are counted from the records in this bundle and from nothing else. The program that counts them is in the bundle (in data/findings, named recompute); anybody can run it again and must get the same.",
    },
    ...pooledFigures(statistics),
    ...accountFigures(statistics, names),
    ...wordings("How requests begin", "First", openings),
    ...wordings("How requests end", "Last", endings),
  ];
}

function pooledFigures({ pooled }: Statistics): Block[] {
  const several = pooled.accounts > 1;
  const rows: [string, string][] = [
    ["Accounts", grouped(pooled.accounts)],
    ["Requests", grouped(pooled.exchanges)],
    ["Different inputs", grouped(pooled.distinctInputs)],
    ["Inputs sent by more than one account", grouped(pooled.sharedInputs)],
  ];
  if (several)
    rows.push(["The same, if each had chosen at random", `about ${figure(pooled.expectedSharedInputs)}`]);
  rows.push(["Requests whose input is not shown here", grouped(pooled.unreadable)]);
  if (pooled.biasedTokens > 0) rows.push(["Token preferences tried", grouped(pooled.biasedTokens)]);
  rows.push(["Tokens sent / received", `${grouped(pooled.promptTokens)} / ${grouped(pooled.answerTokens)}`]);
  const blocks: Block[] = [
    { kind: "facts", rows },
    {
      kind: "text",
      text: several
        ? "“Chosen at random” means: each account picks its inputs independently of the others from a list as long as the number of different inputs seen. It is a yardstick for reading the figure above it, and not part of any finding."
        : "An input is the text of the last message that the customer sent in a request.",
    },
  ];
  if (pooled.biasedTokens > 0)
    blocks.push({
      kind: "text",
      text: "A token preference asks the model to favour or avoid one word-piece in its answer. Customers who sort texts into classes use a few of them. Each different one that is tried on the same input lets the sender measure one more inner score of the model.",
    });
  return blocks;
}

function accountFigures(statistics: Statistics, names: ReadonlyMap<string, string>): Block[] {
  const name = (pseudonym: string): string => visible(names.get(pseudonym) ?? pseudonym, 40);
  const shown = [...statistics.accounts].sort((a, b) => b.exchanges - a.exchanges).slice(0, ACCOUNTS_SHOWN);
  const more = statistics.accounts.length - shown.length;
  const rest: Block[] =
    more > 0
      ? [{ kind: "text", text: `${more} further accounts are in data/findings/statistics.json.` }]
      : [];
  return [
    { kind: "subheading", text: "Account by account" },
    {
      kind: "table",
      columns: [
        { title: "Account", width: 5 },
        { title: "Requests", width: 2, right: true },
        { title: "Different inputs", width: 2, right: true },
        { title: "Hours with requests", width: 2, right: true },
        { title: "Tokens received", width: 2.4, right: true },
        { title: "First", width: 2.4 },
        { title: "Last", width: 2.4 },
      ],
      rows: shown.map((one) => [
        name(one.account),
        ...[one.exchanges, one.distinctInputs, one.activeHours, one.answerTokens].map(grouped),
        day(one.first),
        day(one.last),
      ]),
    },
    ...rest,
  ];
}

function wordings(title: string, which: string, list: Statistics["openings"]): Block[] {
  if (list.length === 0) return [];
  return [
    { kind: "subheading", text: title },
    {
      kind: "table",
      columns: [
        { title: `${which} five words, numbers written as #`, width: 7 },
        { title: "Requests", width: 2, right: true },
        { title: "Accounts", width: 2, right: true },
      ],
      rows: list.map((one) => [visible(one.words, 160), grouped(one.exchanges), grouped(one.accounts)]),
    },
  ];
}

export function fleetBlocks({ fleet: picture }: ReportInput): Block[] {
  if (picture.accounts.length < 2) return [];
  if (picture.facts.length === 0)
    return [
      { kind: "heading", text: "Facts: what the accounts have in common" },
      {
        kind: "text",
        text: "No means of payment, domain, organisation, address or wording is common to two of the accounts.",
      },
    ];
  const left = [
    ...(picture.accountsLeftOut > 0 ? [`${picture.accountsLeftOut} accounts`] : []),
    ...(picture.factsLeftOut > 0 ? [`${picture.factsLeftOut} facts that fewer accounts share`] : []),
  ];
  const caption = `Each line says: this account has this. In brackets: how many accounts have it.${left.length > 0 ? ` Not drawn: ${left.join(" and ")}.` : ""}`;
  return [
    { kind: "heading", text: "Facts: what the accounts have in common" },
    {
      kind: "text",
      text: "Sharing one of these alone proves nothing: families share addresses, colleagues share domains. The picture only shows which facts are common to which accounts.",
    },
    { kind: "fleet", caption, picture },
  ];
}
