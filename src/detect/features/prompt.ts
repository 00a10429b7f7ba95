// Reads the one shape that features need out of any API's request body. The body is attacker-controlled: nothing is assumed.

/** Messages beyond this many are not read; the last ones are kept. */
const MAX_MESSAGES = 400;
/** Characters of one message's text that are joined from its parts. */
const MAX_TEXT_CHARS = 200_000;

export type Role = "system" | "user" | "assistant" | "tool";

export interface Message {
  readonly role: Role;
  readonly text: string;
}

/** The last thing that a person, or a program for one, said; "" for nothing. */
export function askedOf(messages: readonly Message[]): string {
  return messages.findLast((message) => message.role === "user")?.text ?? "";
}

/** What was asked, whatever the API. */
export interface Prompt {
  readonly model: string;
  readonly messages: readonly Message[];
  /** Names of the declared tools, in order. */
  readonly tools: readonly string[];
  /** Sampling parameters that a client sets deliberately; null where it said nothing. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly maxTokens: number | null;
  readonly choices: number;
  readonly seeded: boolean;
  readonly stream: boolean;
  /** True when log-probabilities of tokens were asked for. */
  readonly logprobs: boolean;
  readonly topLogprobs: number;
  /** Token ids of `logit_bias`, ascending. */
  readonly biasedTokens: readonly number[];
  /** The same with their values: `id:value` in the order of the body, or "". */
  readonly biasValues: string;
  /** Names of all top-level fields, sorted: the client program's habit. */
  readonly fields: readonly string[];
  /** Name of the response format, or "". */
  readonly format: string;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const string = (value: unknown): string => (typeof value === "string" ? value : "");

/** Never throws; an unreadable body is a prompt without messages. */
export function promptOf(request: unknown): Prompt {
  const body: Fields = isFields(request) ? request : {};
  const options: Fields = isFields(body["options"]) ? body["options"] : {};
  const logprobs = body["logprobs"];
  const bias = biasOf(body["logit_bias"]);
  return {
    model: string(body["model"]).slice(0, 200),
    messages: messagesOf(body),
    tools: list(body["tools"]).slice(0, 256).map(toolName),
    temperature: number(body["temperature"]) ?? number(options["temperature"]),
    topP: number(body["top_p"]) ?? number(options["top_p"]),
    maxTokens:
      number(body["max_tokens"]) ??
      number(body["max_completion_tokens"]) ??
      number(body["max_output_tokens"]) ??
      number(options["num_predict"]),
    choices: number(body["n"]) ?? 1,
    seeded: number(body["seed"]) !== null || number(options["seed"]) !== null,
    stream: body["stream"] === true,
    logprobs: logprobs === true || (number(logprobs) ?? 0) > 0,
    topLogprobs: number(body["top_logprobs"]) ?? number(logprobs) ?? 0,
    biasedTokens: bias.map(([id]) => id).sort((a, b) => a - b),
    biasValues: bias.map(([id, value]) => `${id}:${value}`).join(","),
    fields: Object.keys(body).sort().slice(0, 64),
    format: isFields(body["response_format"]) ? string(body["response_format"]["type"]) : "",
  };
}

function messagesOf(body: Fields): Message[] {
  const found: Message[] = [];
  const system = textOf(body["system"]) || textOf(body["instructions"]);
  if (system !== "") found.push({ role: "system", text: system });
  const turns = list(body["messages"]).length > 0 ? list(body["messages"]) : list(body["input"]);
  for (const turn of turns.slice(-MAX_MESSAGES)) {
    if (typeof turn === "string") found.push({ role: "user", text: turn });
    else if (isFields(turn))
      found.push({
        role: roleOf(turn["role"] ?? turn["type"]),
        text: textOf(turn["content"] ?? turn["output"] ?? turn["data"]),
      });
  }
  for (const plain of [body["prompt"], body["input"]]) {
    if (typeof plain === "string" && plain !== "") found.push({ role: "user", text: plain });
  }
  for (const tensor of list(body["inputs"]).slice(0, MAX_MESSAGES)) {
    if (isFields(tensor)) found.push({ role: "user", text: textOf(tensor["data"]) });
  }
  return found;
}

function roleOf(value: unknown): Role {
  switch (value) {
    case "system":
    case "developer":
      return "system";
    case "assistant":
    case "model":
    case "function_call":
      return "assistant";
    case "tool":
    case "function":
    case "function_call_output":
      return "tool";
    default:
      return "user";
  }
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content.slice(0, MAX_TEXT_CHARS);
  if (typeof content === "number") return String(content);
  if (!Array.isArray(content)) return "";
  let text = "";
  for (const part of content) {
    const piece = isFields(part) ? string(part["text"]) || textOf(part["content"]) : textOf(part);
    if (piece === "") continue;
    text += text === "" ? piece : `\n${piece}`;
    if (text.length >= MAX_TEXT_CHARS) break;
  }
  return text.slice(0, MAX_TEXT_CHARS);
}

function toolName(tool: unknown): string {
  if (!isFields(tool)) return "";
  const inner = isFields(tool["function"]) ? tool["function"] : tool;
  return string(inner["name"]).slice(0, 128);
}

/** Token ids that one request may bias and that are read; published interfaces allow 300 to 1,024. */
const MAX_BIASED_TOKENS = 2_048;

function biasOf(value: unknown): [number, number][] {
  if (!isFields(value)) return [];
  const bias: [number, number][] = [];
  for (const key of Object.keys(value)) {
    const id = Number(key);
    if (Number.isInteger(id) && id >= 0 && id < 2 ** 32) bias.push([id, number(value[key]) ?? 0]);
    if (bias.length >= MAX_BIASED_TOKENS) break;
  }
  return bias;
}
