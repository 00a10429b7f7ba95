// The row that an exchange leaves in the analytical store: numbers and keyed hashes, no content.
import type { NumericColumns } from "./numeric.ts";

/** One row of `exchange_features`; units in the names, hashes are unsigned 64-bit numbers, 0 for absent. */
export interface FeatureRow extends NumericColumns {
  readonly exchange: string;
  readonly account: string;
  /** When the request was opened, ISO 8601 UTC. */
  readonly time: string;
  readonly version: number;
  readonly endpoint: string;
  readonly model: string;
  readonly status: number;
  /** 1 when the client got an answer it can learn from. */
  readonly served: 0 | 1;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_chars: number;
  readonly answer_chars: number;
  /** Messages of the conversation without system messages. */
  readonly turns: number;
  /** 1 when the model or a tool has already spoken in it. */
  readonly continued: 0 | 1;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  readonly choices: number;
  readonly top_logprobs: number;
  readonly bias_count: number;
  readonly bias_tokens: readonly number[];
  /** Of the biased tokens with their values; 0 without any. */
  readonly bias_values: bigint;
  readonly tools: number;
  readonly parameters: bigint;
  readonly system: bigint;
  /** What a template leaves at the ends of the last user message: at most four different hashes. */
  readonly affixes: readonly bigint[];
  readonly skeleton: bigint;
  /** The last user message, whatever its numbers are: equal but for them and white space around it is one input. */
  readonly input: bigint;
  /** The whole conversation, message by message, exactly but for white space around each: the same prompt prefix. */
  readonly conversation: bigint;
  readonly toolset: bigint;
  readonly client: bigint;
  readonly ip: bigint;
  readonly network: bigint;
  readonly asn: number;
  readonly country: string;
  readonly embedding: readonly number[];
  /** What the last user message looks like beside its words (see `shape.ts`). */
  readonly shape: readonly number[];
  /** Keys of the last user message that versions of the same text share (see `near-keys.ts`); none for short ones. */
  readonly near: readonly number[];
  /** Words of the last user message that were read. */
  readonly asked_words: number;
  /** Surroundings of the blanks in the last user message, at most four; and bits that `recall.ts` names. */
  readonly blanks: readonly bigint[];
  readonly recall: number;
  /** Last words of a message that breaks off; 0 for any other. */
  readonly ending: bigint;
  /** Abilities that the last user message or the system prompt asks for: bits that `capabilities.ts` names. */
  readonly capabilities: number;
  /** Of the last user message: ISO 15924 and ISO 639-1, "" where it isn't certain. */
  readonly script: string;
  readonly language: string;
  /** As `near`, of the system prompt: versions of one system prompt share keys. */
  readonly system_near: readonly number[];
  /** `conversation` of the request that this one goes on from: what stood before the model's last words; 0 for a new one. */
  readonly prefix: bigint;
  /** Contradictions between headers, user agent and prompt: bits that `relay.ts` names. */
  readonly relay: number;
  /** Of the person's home folder that the prompt names; 0 for none. */
  readonly home: bigint;
  /** Longest run of one word in the last user message, and in the answer. */
  readonly asked_run: number;
  readonly answered_run: number;
}
