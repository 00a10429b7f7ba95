// A small fleet and its honest neighbours, with one hostile prompt: what tests and the screenshot of the console show.
import { type AccountFacts, unknownAccount } from "../../src/core/account.ts";
import type { NeutralExchange } from "../../src/core/decode/neutral.ts";
import type { Finding } from "../../src/core/finding.ts";

/** Markup, an ANSI escape that would clear a terminal, an override that would reverse what follows, hidden tags. */
export const HOSTILE_PROMPT: string =
  "<script>document.title='owned';alert(1)</script><img src=x onerror=alert(2)>\n" +
  "\u001b[2J\u001b[31mred\u001b[0m \u202etxt.exe\u202c \u200bzero \u{e0061}\u{e0062} end\u0000";
export const HOSTILE_EXCHANGE = "x-hostile";
export const FLEET_FINDING = "campaign-1f0c5a";

const DAY_MS = 86_400_000;
const FLEET_SIZE = 14;
const PLANS = ["free", "pro", "pro", "team"];
const TOPICS = [
  "primes below 60",
  "the area of a kite",
  "two trains",
  "a fair die",
  "compound interest",
  "a lattice path",
];

export interface Scene {
  readonly exchanges: NeutralExchange[];
  readonly facts: AccountFacts[];
  readonly findings: Finding[];
  readonly fleet: string[];
}

/** Deterministic: the same `endMs` gives the same scene. */
export function fleetScene(
  endMs: number,
  { days = 9, perDay = 5 }: { days?: number; perDay?: number } = {},
): Scene {
  const fleet = Array.from(
    { length: FLEET_SIZE },
    (_, index) => `acct_${(0x9e37 + index * 0x3ad1).toString(16)}`,
  );
  const honest = ["acct_lumen-labs", "acct_harbor", "acct_north-school", "acct_teawood", "acct_solo-dev"];
  const exchanges: NeutralExchange[] = [];
  for (let day = 0; day < days; day += 1) {
    const startMs = endMs - (days - day) * DAY_MS;
    fleet.forEach((account, member) => {
      const share = Math.ceil(perDay * (0.4 + (0.9 * day) / days));
      for (let turn = 0; turn < share; turn += 1) {
        const atMs = startMs + ((turn * 7 + member * 3 + day) % 24) * 3_600_000 + member * 41_000;
        const topic = TOPICS[(turn + member + day) % TOPICS.length] ?? "";
        const prompt = `Think step by step and show every intermediate result.\nProblem ${day * 97 + turn * 13 + member}: ${topic}.`;
        exchanges.push(
          exchange({ id: `x-${day}-${member}-${turn}`, account, atMs, prompt, tokens: 640 + turn * 31 }),
        );
      }
    });
    honest.forEach((account, index) => {
      for (let turn = 0; turn < 3 + index; turn += 1) {
        const atMs = startMs + (9 + ((turn * 2 + index) % 9)) * 3_600_000 + index * 97_000;
        const prompt = `Please rewrite my note of day ${day}, part ${turn}, for ${account.slice(5)} in a friendlier tone.`;
        exchanges.push(
          exchange({ id: `y-${day}-${index}-${turn}`, account, atMs, prompt, tokens: 120 + turn * 9 }),
        );
      }
    });
  }
  const last = fleet[0] ?? "";
  exchanges.push(
    exchange({
      id: HOSTILE_EXCHANGE,
      account: last,
      atMs: endMs - 60_000,
      prompt: HOSTILE_PROMPT,
      tokens: 12,
    }),
  );
  exchanges.sort((a, b) => a.openedAtMs - b.openedAtMs);
  const facts = [...fleet, ...honest].map((account, index) => factsOf(account, index, endMs));
  return { exchanges, facts, findings: findingsAbout(fleet, endMs), fleet };
}

function exchange(given: {
  id: string;
  account: string;
  atMs: number;
  prompt: string;
  tokens: number;
}): NeutralExchange {
  const { id, account, atMs, prompt, tokens } = given;
  return {
    id,
    account,
    key: null,
    openedAtMs: atMs,
    closedAtMs: atMs + 900 + (tokens % 700),
    client: {
      ip: `203.0.113.${account.length * 7 + (account.charCodeAt(6) % 40)}`,
      asn: 64_500 + (account.charCodeAt(7) % 4),
      country: "NL",
      userAgent: "OpenAI/Python 2.7.1",
      ja4: null,
      headers: ["host", "authorization", "user-agent"],
    },
    endpoint: "/v1/chat/completions",
    request: { model: "atlas-large", temperature: 0.7, messages: [{ role: "user", content: prompt }] },
    answer: {
      status: 200,
      text: `Let us see. ${"Step by step, the result follows. ".repeat(3)}`,
      finishReason: "stop",
      toolCalls: [],
      usage: { promptTokens: 48, completionTokens: tokens },
    },
  };
}

function factsOf(account: string, index: number, endMs: number): AccountFacts {
  const isFleet = index < FLEET_SIZE;
  return {
    ...unknownAccount(account),
    created: new Date(endMs - (isFleet ? 11 : 200 + index * 31) * DAY_MS + index * 61_000).toISOString(),
    plan: PLANS[index % PLANS.length] ?? null,
    payment: isFleet ? `card_${(index % 3) + 1}` : `card_${index + 40}`,
    emailDomain: isFleet ? "mail.example" : `${account.slice(5)}.example`,
    country: isFleet ? "NL" : "DE",
    organization: isFleet ? null : account.slice(5),
  };
}

function findingsAbout(fleet: readonly string[], endMs: number): Finding[] {
  const common = { technique: "AML.T0024.002", timeMs: endMs - DAY_MS };
  return [
    {
      ...common,
      id: FLEET_FINDING,
      kind: "campaign",
      detector: "campaign/shared-skeletons",
      accounts: fleet,
      eValue: 48_210.5,
      errorRate:
        "At most 1 in 100 of such findings is expected to be wrong (false discovery rate, e-BH over all candidate campaigns), if honest accounts choose their prompts independently of one another.",
      summary: `${fleet.length} accounts share a rare reasoning template and split one prompt set among them`,
      contributions: [
        { name: "Shared skeletons", value: "6 skeletons, each used by 14 of 14 accounts and by no other" },
        { name: "Overlap of prompts", value: "0 of 441 problems asked twice; 63 expected by chance" },
        { name: "Means of payment", value: "3 cards for 14 accounts" },
        { name: "Sign-up", value: "14 accounts within 15 minutes" },
      ],
    },
    {
      ...common,
      id: "account-77b2",
      kind: "account",
      detector: "account/coverage",
      accounts: fleet.slice(0, 1),
      timeMs: endMs - 2 * DAY_MS,
      pValue: 0.0004,
      errorRate:
        "A p-value against accounts of the same kind; at most 1 % of the accounts so named are expected to be wrong.",
      summary: "Covers far more of the prompt space than accounts of its kind",
      contributions: [{ name: "Distinct buckets", value: "212, where 31 are expected" }],
    },
    {
      ...common,
      id: "probe-0d41",
      kind: "probe",
      detector: "probe/log-bias-sweep",
      accounts: ["acct_solo-dev"],
      timeMs: endMs - 3 * DAY_MS,
      pValue: 1e-9,
      technique: "AML.T0024.002",
      errorRate: "Fewer than 1 benign account in 10,000 sends such a sweep (measured bound, 95 %).",
      summary: "Sweeps logit_bias over one prompt prefix",
      contributions: [{ name: "Rank recovered", value: "38 of 64" }],
    },
  ];
}
