// What the report says, in words that a judge can read: facts first, then opinions, each marked as what it is.

import type { FindingSnapshot } from "../case-scope.ts";
import type { FleetPicture } from "../fleet.ts";
import type { HealthFigures } from "../log-health.ts";
import type { CustodyEntry } from "../verify/custody.ts";
import type { BundleHeader, Completeness } from "../verify/documents.ts";
import type { Statistics } from "../verify/statistics.ts";
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { findingBlocks } from "./findings.ts";
import { checkingBlocks, wordBlocks } from "./how-to-check.ts";

/** One exchange as an example: the beginning of what was asked and of what was answered. */
export interface Example {
  readonly index: number;
  readonly account: string;
  readonly time: string;
  readonly input: string | null;
  readonly answer: string | null;
}

export interface ReportInput {
  readonly header: BundleHeader;
  readonly custody: readonly CustodyEntry[];
  readonly findings: readonly FindingSnapshot[];
  readonly statistics: Statistics;
  readonly completeness: Completeness;
  readonly health: HealthFigures;
  readonly fleet: FleetPicture;
  readonly examples: readonly Example[];
  /** Exchanges that were taken over from another system's records. */
  readonly imported: number;
  readonly log: { readonly origin: string; readonly size: number; readonly key: string };
  /** Account names by pseudonym. */
  readonly names: ReadonlyMap<string, string>;
}

const ACCOUNTS_SHOWN = 60;
const DAYS_SHOWN = 62;
const grouped = (value: number): string => value.toLocaleString("en-GB");
const day = (time: string): string => time.slice(0, 10);
const minute = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;

export function reportBlocks(input: ReportInput): Block[] {
  return [
    ...opening(input),
    ...inShort(input),
    ...figures(input),
    ...fleet(input),
    ...examples(input),
    ...findingBlocks(input.findings),
    ...words(input),
    ...custody(input),
    ...completeness(input),
    ...health(input),
    ...checkingBlocks(input.log, input.header),
    ...wordBlocks(),
  ];
}

function opening({ header }: ReportInput): Block[] {
  return [
    {
      kind: "title",
      text: visible(header.title, 200),
      below: `Evidence report of case ${header.case}, made ${minute(header.exported)}`,
    },
    {
      kind: "facts",
      rows: [
        ["Purpose", visible(header.purpose, 2000)],
        ["Authority", visible(header.authority, 500)],
        ["Custodian", visible(header.custodian)],
        ["Jurisdiction", visible(header.jurisdiction)],
        ["Marking", `TLP:${header.tlp}`],
        ["Made with", header.software],
      ],
    },
    {
      kind: "notice",
      text: "This report is a reading aid. The evidence is the records in the folder “data/records” and the proofs beside them. Whoever receives the bundle can check both without us; the last pages say how.",
    },
  ];
}

function period({ statistics }: ReportInput): { first: string; last: string } | null {
  const times = statistics.accounts.filter(({ exchanges }) => exchanges > 0);
  const first = times.map((one) => one.first).sort()[0];
  const last = times
    .map((one) => one.last)
    .sort()
    .at(-1);
  return first === undefined || last === undefined ? null : { first, last };
}

function inShort(input: ReportInput): Block[] {
  const { pooled } = input.statistics;
  const span = period(input);
  const when = span === null ? "" : ` between ${minute(span.first)} and ${minute(span.last)}`;
  const text = `${grouped(pooled.accounts)} ${pooled.accounts === 1 ? "customer account" : "customer accounts"} sent ${grouped(pooled.exchanges)} requests to the model${when}. The model's answers amount to ${grouped(pooled.answerTokens)} tokens, as its server counted them (a token is a short piece of text, about three quarters of an English word).`;
  const opinions =
    input.findings.length === 0
      ? "No automatic finding is part of this case."
      : `${input.findings.length === 1 ? "One automatic finding is" : `${input.findings.length} automatic findings are`} part of this case. Each is an opinion of a computer program, with a stated rate of error; they are given separately, after the facts.`;
  return [
    { kind: "heading", text: "In short" },
    { kind: "text", text },
    { kind: "text", text: opinions },
    {
      kind: "text",
      text: "Facts in this report are what was recorded: each request and each answer, byte for byte. Opinions are what a program or a person concludes from them. The two are kept apart throughout.",
    },
    originOf(input),
  ];
}

/** When it was written down decides what the log proves about it. */
function originOf({ imported, statistics }: ReportInput): Block {
  const { exchanges } = statistics.pooled;
  if (imported === 0)
    return {
      kind: "text",
      text: "Each was written down while it happened: the request before the model was asked, the answer before its last part was delivered.",
    };
  const which = imported >= exchanges ? "All of these exchanges" : `${grouped(imported)} of these exchanges`;
  return {
    kind: "notice",
    text: `${which} were taken over from another system's records, and not written down by this software while they happened. Their times are those that the other system stated. The log proves that they were not changed since they were taken over.`,
  };
}

function figures({ statistics, names }: ReportInput): Block[] {
  const { days, openings, endings } = statistics;
  return [
    { kind: "heading", text: "Facts: what the records show" },
    {
      kind: "text",
      text: "These figures are counted from the records in this bundle and from nothing else. The program that counts them is in the bundle (in data/findings, named recompute); anybody can run it again and must get the same.",
    },
    ...pooledFigures(statistics),
    {
      kind: "bars",
      caption: `Requests on each day (UTC)${days.length > DAYS_SHOWN ? `; the first ${DAYS_SHOWN} of ${days.length} days` : ""}.`,
      bars: days.slice(0, DAYS_SHOWN).map((one) => ({ label: one.day, value: one.exchanges })),
    },
    ...accountFigures(statistics, names),
    ...wordings("How requests begin", "First", openings),
    ...wordings("How requests end", "Last", endings),
  ];
}

function pooledFigures({ pooled }: Statistics): Block[] {
  const several = pooled.accounts > 1;
  const expected = pooled.expectedSharedInputs.toLocaleString("en-GB", { maximumFractionDigits: 1 });
  const rows: [string, string][] = [
    ["Accounts", grouped(pooled.accounts)],
    ["Requests", grouped(pooled.exchanges)],
    ["Different inputs", grouped(pooled.distinctInputs)],
    ["Inputs sent by more than one account", grouped(pooled.sharedInputs)],
  ];
  if (several) rows.push(["The same, if each had chosen at random", `about ${expected}`]);
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

function fleet({ fleet: picture }: ReportInput): Block[] {
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

function examples({ examples: list }: ReportInput): Block[] {
  if (list.length === 0) return [];
  return [
    { kind: "heading", text: "Facts: examples of what was asked" },
    {
      kind: "text",
      text: "The first request of some of the accounts, shortened. The records hold every request and answer in full.",
    },
    ...list.map(
      (one): Block => ({
        kind: "quote",
        text: `${one.input === null ? "(not shown)" : visible(one.input, 420)}${one.answer === null ? "" : `\n→ ${visible(one.answer, 240)}`}`,
        from: `Record ${one.index}, ${visible(one.account, 60)}, ${minute(one.time)}`,
      }),
    ),
  ];
}

/** Notes, hypotheses and decisions: people's opinions, in their own words. */
function words({ custody: entries }: ReportInput): Block[] {
  const kinds = new Map([
    ["note", "Note"],
    ["hypothesis", "Hypothesis"],
    ["decision", "Decision"],
  ]);
  const written = entries.filter((entry) => kinds.has(entry.what) && entry.text !== undefined);
  if (written.length === 0) return [];
  return [
    { kind: "heading", text: "Opinions: what people noted" },
    ...written.map(
      (entry): Block => ({
        kind: "quote",
        text: visible(entry.text ?? "", 4000),
        from: `${kinds.get(entry.what)} by ${visible(entry.by, 80)}, ${minute(entry.time)}, entry ${entry.number} of the chain of custody`,
      }),
    ),
  ];
}

function custody({ custody: entries }: ReportInput): Block[] {
  return [
    { kind: "heading", text: "Chain of custody" },
    {
      kind: "text",
      text: "Who did what with this case, when, with which tool and under which authority. Each entry is itself a record in the log and is proved like the others. The export of this bundle is the entry after the last one; it is in the folder “export”.",
    },
    {
      kind: "table",
      columns: [
        { title: "No.", width: 1, right: true },
        { title: "When (UTC)", width: 3 },
        { title: "Who", width: 3 },
        { title: "What", width: 3 },
        { title: "On what", width: 5 },
        { title: "Result", width: 5 },
      ],
      rows: entries.map((entry) => [
        String(entry.number),
        entry.time.slice(0, 19).replace("T", " "),
        visible(entry.by, 60),
        entry.what,
        visible(entry.on, 100),
        visible(entry.result, 160),
      ]),
    },
  ];
}

function completeness({ completeness: stated }: ReportInput): Block[] {
  const { counts, query, leftOut } = stated;
  return [
    { kind: "heading", text: "Completeness" },
    { kind: "text", text: stated.statement },
    {
      kind: "facts",
      rows: [
        ["Records looked at", `${grouped(query.from)} to ${grouped(query.to)} of the log, all of them`],
        ["Period asked for", `${query.since ?? "from the beginning"} to ${query.until ?? "the export"}`],
        ["Requests / answers in the bundle", `${grouped(counts.open)} / ${grouped(counts.close)}`],
        ["Cut off before an answer", grouped(counts.interrupted)],
        ["Acts about accounts and case", grouped(counts.act)],
        ["Fields shown / withheld", `${grouped(counts.fieldsOpened)} / ${grouped(counts.fieldsWithheld)}`],
        ["Records whose content was erased", grouped(counts.erased)],
        ["Gaps that the log declares", grouped(stated.gaps.length)],
      ],
    },
    ...(leftOut.length === 0
      ? [{ kind: "text", text: "Nothing that the query gave was left out." } as const]
      : [
          {
            kind: "list",
            items: leftOut.map(
              (one) => `Left out: ${one.what} (${grouped(one.records)}). Reason: ${one.why}`,
            ),
          } as const,
        ]),
  ];
}

function health({ health: figure }: ReportInput): Block[] {
  const { clock } = figure;
  return [
    { kind: "heading", text: "Clocks and health of the recording" },
    {
      kind: "facts",
      rows: [
        ["Source of time", `${clock.source}, in UTC, to the millisecond`],
        [
          "Clock read less than before",
          `${grouped(clock.backwardSteps)} times${clock.backwardSteps > 0 ? `, by at most ${grouped(clock.largestBackwardMs)} ms` : ""}`,
        ],
        ["Restarts of recording processes", grouped(figure.restarts)],
        ["Exchanges cut off by a restart", grouped(figure.exchangesInterrupted)],
        [
          "Records refused by the disk",
          `${grouped(figure.recordsRefused)} (their requests were refused too)`,
        ],
        ["Records lost", grouped(figure.recordsLost)],
      ],
    },
  ];
}
