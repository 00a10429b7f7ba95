// The report's timeline: the events that matter, requests by day, each account's days, and what was known of the accounts.
import type { AccountFacts } from "../../core/account.ts";
import type { Chronicle } from "../chronicle.ts";
import type { Statistics } from "../verify/statistics.ts";
import { visible } from "../visible-text.ts";
import type { Block } from "./blocks.ts";
import { grouped, minute } from "./figures.ts";
import type { ReportInput } from "./input.ts";

const DAYS_SHOWN = 62;
const LANES_SHOWN = 40;
const ACCOUNTS_DESCRIBED = 60;
const EVENTS_SHOWN = 60;

export function chronologyBlocks(input: ReportInput): Block[] {
  const { days } = input.statistics;
  const shown = days.slice(0, DAYS_SHOWN);
  const cut = days.length > DAYS_SHOWN ? `; the first ${DAYS_SHOWN} of ${days.length} days` : "";
  const bars = shown.map((one) => ({ label: one.day, value: one.exchanges }));
  return [
    { kind: "heading", text: "Facts: timeline" },
    ...eventBlocks(input),
    { kind: "bars", caption: `Requests on each day (UTC)${cut}`, bars },
    ...laneBlocks(
      input.chronicle,
      shown.map((one) => one.day),
    ),
    ...descriptionBlocks(input.chronicle),
  ];
}

/** From the first to the last request; null where there is none. */
export function spanOf({ accounts }: Statistics): { first: string; last: string } | null {
  const active = accounts.filter(({ exchanges }) => exchanges > 0);
  const first = active.map((one) => one.first).sort()[0];
  const last = active
    .map((one) => one.last)
    .sort()
    .at(-1);
  return first === undefined || last === undefined ? null : { first, last };
}

interface Event {
  readonly time: string;
  readonly what: string;
}

function eventBlocks(input: ReportInput): Block[] {
  const events = [...accountEvents(input), ...actEvents(input.chronicle), ...caseEvents(input)].sort(
    (a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0),
  );
  const rows = events.slice(0, EVENTS_SHOWN).map(({ time, what }) => [minute(time), what]);
  const more: Block[] =
    events.length > EVENTS_SHOWN
      ? [{ kind: "text", text: `${events.length - EVENTS_SHOWN} further events are in data/timeline.jsonl.` }]
      : [];
  const columns = [
    { title: "When", width: 2.6 },
    { title: "What", width: 8 },
  ];
  return rows.length === 0 ? [] : [{ kind: "table", columns, rows }, ...more];
}

function accountEvents({ chronicle, statistics }: ReportInput): Event[] {
  const created = [...chronicle.described.values()]
    .map((facts) => facts.created ?? "")
    .filter((time) => time !== "")
    .sort();
  const span = spanOf(statistics);
  const [signedUp, lastSignedUp] = [created[0], created.at(-1)];
  const several = created.length > 1;
  return [
    ...(signedUp === undefined
      ? []
      : [
          { time: signedUp, what: several ? "The first of the accounts signed up" : "The account signed up" },
        ]),
    ...(lastSignedUp !== undefined && several
      ? [{ time: lastSignedUp, what: `The last of ${created.length} accounts signed up` }]
      : []),
    ...(span === null
      ? []
      : [
          { time: span.first, what: "First request" },
          { time: span.last, what: "Last request in this bundle" },
        ]),
  ];
}

const ACTS: Readonly<Record<string, string>> = {
  "key.created": "A key was made for",
  "key.revoked": "A key was revoked of",
  "account.status-changed": "The status was changed of",
  "verdict.proposed": "A measure was proposed against",
  "verdict.approved": "A measure was approved against",
  "verdict.rejected": "A measure was turned down against",
  "verdict.in-effect": "A measure came into effect against",
  "verdict.joined": "A measure was extended to",
  "verdict.released": "A measure was released for",
  "verdict.lifted": "A measure was lifted from",
  "verdict.expired": "A measure ended by its time for",
  "appeal.filed": "An appeal came from",
  "appeal.decided": "An appeal was decided of",
};

/** Acts of one kind in one minute are one event: a measure against a fleet is one decision. */
function actEvents({ acts }: Chronicle): Event[] {
  const together = new Map<string, { time: string; act: string; accounts: Set<string> }>();
  for (const { time, act, account } of acts) {
    const key = `${act} ${time.slice(0, 16)}`;
    const known = together.get(key) ?? { time, act, accounts: new Set() };
    known.accounts.add(account);
    together.set(key, known);
  }
  return [...together.values()].map(({ time, act, accounts }) => {
    const [only = ""] = accounts;
    const whom = accounts.size === 1 ? visible(only, 60) : `${accounts.size} of the accounts`;
    const words = ACTS[act];
    return { time, what: words === undefined ? `${act}: ${whom}` : `${words} ${whom}` };
  });
}

function caseEvents({ findings, custody, header }: ReportInput): Event[] {
  const raised = findings.map(({ finding }) => ({
    time: new Date(finding.firstMs ?? finding.timeMs).toISOString(),
    what: `Opinion: finding ${finding.id} was first raised by a detector, on the clock of the records`,
  }));
  const opened = custody.filter(({ what }) => what === "opened");
  return [
    ...raised,
    ...opened.map(({ time, by }) => ({ time, what: `The case was opened by ${visible(by, 60)}` })),
    { time: header.exported, what: "This report was made" },
  ];
}

function laneBlocks({ requests }: Chronicle, days: readonly string[]): Block[] {
  if (requests.size < 2 || days.length < 2) return [];
  const accounts = [...requests.keys()].sort();
  const rows = accounts.slice(0, LANES_SHOWN).map((account) => ({
    label: visible(account, 28),
    values: days.map((one) => requests.get(account)?.get(one) ?? 0),
  }));
  const most = Math.max(...rows.flatMap(({ values }) => values));
  const left =
    accounts.length > LANES_SHOWN ? `; ${LANES_SHOWN} of the ${accounts.length} accounts are drawn` : "";
  const caption = `Requests of each account on each day (UTC): white none, the darkest ${grouped(most)}${left}`;
  return [{ kind: "lanes", caption, columns: days.map((one) => one.slice(5)), rows }];
}

type Described = Partial<AccountFacts>;

const COLUMNS: readonly { title: string; width: number; of: (facts: Described) => string | null }[] = [
  {
    title: "Signed up",
    width: 3.7,
    of: ({ created }) => (created == null ? null : minute(created).slice(0, 16)),
  },
  { title: "Plan", width: 2.5, of: ({ plan }) => plan ?? null },
  { title: "Means of payment", width: 4.5, of: ({ payment }) => payment ?? null },
  { title: "Organisation, e-mail domain", width: 4.2, of: whose },
  { title: "Country", width: 2.1, of: ({ country }) => country ?? null },
  { title: "Declared use", width: 2.9, of: ({ declaredUse }) => declaredUse ?? null },
];

function whose({ organization, emailDomain }: Described): string | null {
  return [organization, emailDomain].filter((name) => name != null).join(", ") || null;
}

/** What the provider's own systems said of the accounts, those that signed up first at the top. */
function descriptionBlocks({ described }: Chronicle): Block[] {
  const told = [...described].filter(([, facts]) => Object.keys(facts).length > 0);
  if (told.length === 0) return [];
  const columns = COLUMNS.filter(({ of }) => told.some(([, facts]) => (of(facts) ?? null) !== null));
  const when = ([account, { created }]: readonly [string, Described]): string =>
    `${created ?? "~"} ${account}`;
  const rows = told
    .sort((a, b) => (when(a) < when(b) ? -1 : 1))
    .slice(0, ACCOUNTS_DESCRIBED)
    .map(([account, facts]) => [
      visible(account, 40),
      ...columns.map(({ of }) => visible(of(facts) ?? "–", 80)),
    ]);
  const more: Block[] =
    told.length > ACCOUNTS_DESCRIBED
      ? [{ kind: "text", text: `${told.length - ACCOUNTS_DESCRIBED} further accounts are in the records.` }]
      : [];
  return [
    { kind: "subheading", text: "The accounts, as the provider's own systems described them" },
    {
      kind: "text",
      text: "What a customer stated is not verified here. A means of payment is a reference, never a card number. Times are UTC.",
    },
    { kind: "table", columns: [{ title: "Account", width: 5 }, ...columns], rows },
    ...more,
  ];
}
