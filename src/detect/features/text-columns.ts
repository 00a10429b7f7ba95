// The columns that come from a prompt's texts, and what reads texts under one key.
import { Capabilities } from "./capabilities.ts";
import { embedHashes } from "./embedding.ts";
import type { FeatureRow } from "./feature-row.ts";
import { type FeatureKeys, KeyedHash, NO_HASH } from "./keyed-hash.ts";
import { Languages } from "./language.ts";
import { nearKeys } from "./near-keys.ts";
import { askedOf, type Message, type Prompt } from "./prompt.ts";
import { blanksOf, endingOf, recallBits } from "./recall.ts";
import { longestRun } from "./repetition.ts";
import { shapeOf } from "./shape.ts";
import { MaskedText } from "./text.ts";

/** What is known of a system prompt. */
interface Instructions {
  readonly hash: bigint;
  readonly near: readonly number[];
  readonly capabilities: number;
}

/** System prompts whose facts are remembered, and the longest of them. */
const MAX_KNOWN = 4_096;
const MAX_KNOWN_CHARS = 8_192;

/** Reads texts under one key. What it keeps between exchanges are answers and memory, never a state. */
export class Reader {
  readonly hasher: KeyedHash;
  readonly text: MaskedText;
  readonly capabilities: Capabilities;
  readonly languages: Languages;
  readonly #instructions = new Map<string, Instructions>();

  constructor(keys: FeatureKeys) {
    this.hasher = new KeyedHash(keys);
    this.text = new MaskedText(this.hasher.wordSeed);
    this.capabilities = new Capabilities(this.text);
    this.languages = new Languages(this.text);
  }

  /** Uses `text` up. */
  instructionsOf(system: string): Instructions {
    const known = this.#instructions.get(system);
    if (known !== undefined) return known;
    const { hasher } = this;
    const text = this.text.read(system);
    const made = {
      hash: hasher.ofBytes("system", text.bytes, ...text.bytesOf({ from: 0, to: text.count })),
      near: nearKeys(text.hashes, text.count),
      capabilities: this.capabilities.of(text, system),
    };
    if (system.length > MAX_KNOWN_CHARS) return made;
    if (this.#instructions.size >= MAX_KNOWN) this.#instructions.clear();
    this.#instructions.set(system, made);
    return made;
  }
}

export type TextColumns = Pick<
  FeatureRow,
  | "prompt_chars"
  | "turns"
  | "continued"
  | "system"
  | "affixes"
  | "skeleton"
  | "input"
  | "conversation"
  | "embedding"
  | "shape"
  | "near"
  | "asked_words"
  | "blanks"
  | "recall"
  | "ending"
  | "capabilities"
  | "script"
  | "language"
  | "system_near"
  | "prefix"
  | "asked_run"
>;

/** Pure. */
export function textColumns(prompt: Prompt, reader: Reader): TextColumns {
  const { hasher, text } = reader;
  const { messages } = prompt;
  const asked = askedOf(messages);
  const exact = hasher.of("input", asked.trim());
  let [chars, turns, system] = [0, 0, ""];
  let continued: 0 | 1 = 0;
  for (const message of messages) {
    chars += message.text.length;
    if (message.role === "system") system += system === "" ? message.text : `\u0002${message.text}`;
    else turns += 1;
    if (message.role === "assistant" || message.role === "tool") continued = 1;
  }
  const instructions = reader.instructionsOf(system);
  text.read(asked);
  return {
    prompt_chars: chars,
    turns: Math.min(turns, 65_535),
    continued,
    system: instructions.hash,
    system_near: instructions.near,
    capabilities: instructions.capabilities | reader.capabilities.of(text, asked),
    ...reader.languages.of(text, asked),
    affixes: affixesOf(text, hasher),
    skeleton: hasher.ofBytes("skeleton", text.bytes, ...text.bytesOf({ from: 0, to: text.count })),
    input: inputOf(asked.trim(), exact, hasher),
    ...conversationHashes(messages, hasher, { asked, exact }),
    embedding: embedHashes(text.hashes, text.count),
    shape: shapeOf(asked),
    near: nearKeys(text.hashes, text.count),
    asked_words: text.count,
    blanks: blanksOf(asked, hasher),
    recall: recallBits(asked, system),
    ending: endingOf(asked, hasher),
    asked_run: longestRun(asked),
  };
}

/** A number, its points, commas and colons included. */
const NUMBERS = /\d(?:[\d.,:]*\d)?/g;

/** What is asked, whatever its numbers are: exercises that give everybody other numbers are one exercise. */
function inputOf(asked: string, exact: bigint, hasher: KeyedHash): bigint {
  const masked = asked.replace(NUMBERS, "0");
  return masked === asked ? exact : hasher.of("input", masked);
}

/** Up to four different hashes of what a template leaves at the ends of a message. */
function affixesOf(text: MaskedText, hasher: KeyedHash): bigint[] {
  const { opening, closing, head, tail } = text.affixes();
  const affixes: bigint[] = [];
  for (const [role, range] of [
    ["opening", opening],
    ["closing", closing],
    ["opening", head],
    ["closing", tail],
  ] as const) {
    const made = hasher.ofBytes(role, text.bytes, ...text.bytesOf(range));
    if (made !== NO_HASH && !affixes.includes(made)) affixes.push(made);
  }
  return affixes;
}

const ROLE_CODES = { system: 1, user: 2, assistant: 3, tool: 4 } as const;
const BYTES_A_MESSAGE = 9;

/** Of the hashes of its messages and who says them; and of those before the last thing that the model said. */
function conversationHashes(
  messages: readonly Message[],
  hasher: KeyedHash,
  known: { readonly asked: string; readonly exact: bigint },
): Pick<FeatureRow, "conversation" | "prefix"> {
  const bytes = new Uint8Array(messages.length * BYTES_A_MESSAGE);
  const view = new DataView(bytes.buffer);
  let before = 0;
  messages.forEach(({ role, text }, index) => {
    const at = index * BYTES_A_MESSAGE;
    view.setUint8(at, ROLE_CODES[role]);
    view.setBigUint64(at + 1, text === known.asked ? known.exact : hasher.of("input", text.trim()));
    if (role === "assistant") before = at;
  });
  return {
    conversation: hasher.ofBytes("conversation", bytes, 0, bytes.length),
    prefix: hasher.ofBytes("conversation", bytes, 0, before),
  };
}
