// Figures that follow from a bundle's own records, and from nothing else. This file imports nothing: it travels in every
// bundle, so that anybody can run it again.

/** What is read of a record's file in `data/records/`. Everything in it is the customer's or the model's. */
export interface RecordFile {
  readonly leaf: {
    readonly kind: string;
    readonly time: string;
    readonly exchange?: string;
    readonly account?: string;
  };
  readonly fields?: Readonly<Record<string, object>> | undefined;
}

export interface AccountFigures {
  readonly account: string;
  readonly exchanges: number;
  /** Different texts of the last user message. */
  readonly distinctInputs: number;
  /** Exchanges whose input this account had sent before. */
  readonly repeatedInputs: number;
  /** Different hours (UTC) with at least one exchange. */
  readonly activeHours: number;
  readonly first: string;
  readonly last: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Different (input, token) pairs to which a bias was given: each reveals a score of the model. */
  readonly biasedTokens: number;
}

export interface Wording {
  readonly words: string;
  readonly exchanges: number;
  readonly accounts: number;
}

export interface Statistics {
  readonly v: 1;
  readonly accounts: readonly AccountFigures[];
  readonly pooled: {
    readonly accounts: number;
    readonly exchanges: number;
    /** Exchanges whose input can't be read: withheld, erased, or not of a known form. */
    readonly unreadable: number;
    readonly distinctInputs: number;
    /** Inputs that more than one account sent. */
    readonly sharedInputs: number;
    /**
     * How many that would be on average if each account had picked each of its inputs at random, independently of the
     * others, from a list as long as the number of different inputs seen. Not part of any detector's claim.
     */
    readonly expectedSharedInputs: number;
    readonly promptTokens: number;
    readonly answerTokens: number;
    readonly biasedTokens: number;
  };
  /** First and last five words of inputs, numbers masked: the commonest ten of each. */
  readonly openings: readonly Wording[];
  readonly endings: readonly Wording[];
  readonly days: readonly { readonly day: string; readonly exchanges: number; readonly accounts: number }[];
}

const WORDING_WORDS = 5;
const WORDINGS = 10;
/** Characters at either end of an input in which its first and last words are looked for. */
const MAX_WORDING = 2000;
/** Longest event stream line that is looked into for token counts. */
const MAX_LINE = 1_000_000;

/** Exchanges and accounts by a text. */
type Wordings = Map<string, { exchanges: number; accounts: Set<string> }>;

interface Tally {
  exchanges: number;
  inputs: Map<string, number>;
  hours: Set<string>;
  first: string;
  last: string;
  promptTokens: number;
  answerTokens: number;
  biased: Set<string>;
}

type Json = Record<string, unknown>;

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text of a field that is shown as text; undefined where it is withheld or no UTF-8. */
function shownText(field: object | undefined): string | undefined {
  return isJson(field) && typeof field["text"] === "string" ? field["text"] : undefined;
}

/** Text of a message's content: a string, or parts with `text`. */
function textOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  const parts = content.map((part: unknown) =>
    isJson(part) && typeof part["text"] === "string" ? part["text"] : "",
  );
  return parts.join("\n");
}

/** The last user message of a request in any of the wire formats, or its prompt. */
export function inputOf(request: unknown): string | undefined {
  if (!isJson(request)) return undefined;
  const { messages, input, prompt } = request;
  const list = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  const users = list.filter(
    (message: unknown): message is Json => isJson(message) && message["role"] === "user",
  );
  return textOf(users.at(-1)?.["content"]) ?? textOf(input) ?? textOf(prompt);
}

function count(...values: unknown[]): number {
  const found = values.find((value) => Number.isSafeInteger(value) && Number(value) >= 0);
  return found === undefined ? 0 : Number(found);
}

/** Token counts of an answer, as the model's server stated them: a JSON body, or the last of an event stream. */
export function usageOf(response: string | undefined): { prompt: number; answer: number } {
  const whole = parse(response);
  const bodies = isJson(whole) ? [whole] : streamed(response ?? "");
  let prompt = 0;
  let answer = 0;
  for (const body of bodies) {
    const inner = isJson(body["message"])
      ? body["message"]
      : isJson(body["response"])
        ? body["response"]
        : body;
    const usage = isJson(body["usage"]) ? body["usage"] : isJson(inner["usage"]) ? inner["usage"] : body;
    prompt =
      count(
        usage["prompt_tokens"],
        usage["promptTokens"],
        usage["input_tokens"],
        usage["prompt_eval_count"],
      ) || prompt;
    answer =
      count(
        usage["completion_tokens"],
        usage["completionTokens"],
        usage["output_tokens"],
        usage["eval_count"],
      ) || answer;
  }
  return { prompt, answer };
}

function streamed(text: string): Json[] {
  const bodies: Json[] = [];
  for (const line of text.split("\n")) {
    if (line.length > MAX_LINE || !/"usage"|_count"/.test(line)) continue;
    const body = parse(line.startsWith("data:") ? line.slice(5) : line);
    if (isJson(body)) bodies.push(body);
  }
  return bodies;
}

/** First and last words of an input, numbers masked. */
export function wordingOf(input: string): { opening: string; ending: string } {
  const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
  const masked = (list: string[]): string =>
    list
      .join(" ")
      .replace(/\p{Nd}+/gu, "#")
      .toLowerCase();
  return {
    opening: masked(words(input.slice(0, MAX_WORDING)).slice(0, WORDING_WORDS)),
    ending: masked(words(input.slice(-MAX_WORDING)).slice(-WORDING_WORDS)),
  };
}

/** Numbers that depend on floating point are stated to six digits, the same on every machine. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

export class CaseStatistics {
  readonly #accounts: Map<string, Tally> = new Map();
  readonly #inputs: Map<string, Set<string>> = new Map();
  readonly #openings: Wordings = new Map();
  readonly #endings: Wordings = new Map();
  readonly #days: Wordings = new Map();
  #unreadable = 0;

  /** Records in the order of the log. */
  add({ leaf, fields }: RecordFile): void {
    const account = leaf.account ?? "";
    if (leaf.kind === "close") {
      const usage = usageOf(shownText(fields?.["response"]));
      const tally = this.#tally(account, leaf.time);
      tally.promptTokens += usage.prompt;
      tally.answerTokens += usage.answer;
    }
    if (leaf.kind !== "open") return;
    const tally = this.#tally(account, leaf.time);
    tally.exchanges += 1;
    if (leaf.time > tally.last) tally.last = leaf.time;
    if (leaf.time < tally.first) tally.first = leaf.time;
    tally.hours.add(leaf.time.slice(0, 13));
    tallyIn(this.#days, leaf.time.slice(0, 10), account);
    const request = parse(shownText(fields?.["request"]));
    const input = inputOf(request);
    if (input === undefined) {
      this.#unreadable += 1;
      return;
    }
    tally.inputs.set(input, (tally.inputs.get(input) ?? 0) + 1);
    const holders = this.#inputs.get(input);
    if (holders === undefined) this.#inputs.set(input, new Set([account]));
    else holders.add(account);
    const { opening, ending } = wordingOf(input);
    tallyIn(this.#openings, opening, account);
    tallyIn(this.#endings, ending, account);
    const bias = isJson(request) ? request["logit_bias"] : undefined;
    if (isJson(bias)) for (const token of Object.keys(bias)) tally.biased.add(`${token} ${input}`);
  }

  #tally(account: string, time: string): Tally {
    const known = this.#accounts.get(account);
    if (known !== undefined) return known;
    const fresh: Tally = {
      exchanges: 0,
      inputs: new Map(),
      hours: new Set(),
      first: time,
      last: time,
      promptTokens: 0,
      answerTokens: 0,
      biased: new Set(),
    };
    this.#accounts.set(account, fresh);
    return fresh;
  }

  result(): Statistics {
    const accounts = [...this.#accounts].sort(([a], [b]) => (a < b ? -1 : 1));
    const figures = accounts.map(([account, tally]) => figuresOf(account, tally));
    const sum = (pick: (one: AccountFigures) => number): number =>
      figures.reduce((total, one) => total + pick(one), 0);
    return {
      v: 1,
      accounts: figures,
      pooled: {
        accounts: figures.filter(({ exchanges }) => exchanges > 0).length,
        exchanges: sum(({ exchanges }) => exchanges),
        unreadable: this.#unreadable,
        distinctInputs: this.#inputs.size,
        sharedInputs: [...this.#inputs.values()].filter((holders) => holders.size > 1).length,
        expectedSharedInputs: rounded(expectedShared(figures, this.#inputs.size)),
        promptTokens: sum(({ promptTokens }) => promptTokens),
        answerTokens: sum(({ answerTokens }) => answerTokens),
        biasedTokens: sum(({ biasedTokens }) => biasedTokens),
      },
      openings: commonest(this.#openings),
      endings: commonest(this.#endings),
      days: [...this.#days]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([day, one]) => ({ day, exchanges: one.exchanges, accounts: one.accounts.size })),
    };
  }
}

function tallyIn(into: Wordings, key: string, account: string): void {
  const known = into.get(key);
  if (known === undefined) into.set(key, { exchanges: 1, accounts: new Set([account]) });
  else {
    known.exchanges += 1;
    known.accounts.add(account);
  }
}

function commonest(of: Wordings): Wording[] {
  const ranked = [...of].sort(([a, one], [b, two]) => two.exchanges - one.exchanges || (a < b ? -1 : 1));
  return ranked
    .slice(0, WORDINGS)
    .map(([words, { exchanges, accounts }]) => ({ words, exchanges, accounts: accounts.size }));
}

function figuresOf(account: string, tally: Tally): AccountFigures {
  const sent = [...tally.inputs.values()].reduce((sum, times) => sum + times, 0);
  return {
    account,
    exchanges: tally.exchanges,
    distinctInputs: tally.inputs.size,
    repeatedInputs: sent - tally.inputs.size,
    activeHours: tally.hours.size,
    first: tally.first,
    last: tally.last,
    promptTokens: tally.promptTokens,
    answerTokens: tally.answerTokens,
    biasedTokens: tally.biased.size,
  };
}

/**
 * Inputs of a list of `length` that at least two accounts hold when each picks its own number of different inputs at
 * random: an account with d of them misses a given input with probability 1 - d / length.
 */
export function expectedShared(figures: readonly { distinctInputs: number }[], length: number): number {
  if (length === 0) return 0;
  let none = 1;
  let one = 0;
  for (const { distinctInputs } of figures) {
    const held = distinctInputs / length;
    one = one * (1 - held) + none * held;
    none *= 1 - held;
  }
  return Math.max(0, length * (1 - none - one));
}
