// Collects an answer while it arrives in pieces, whatever the dialect, within limits.
import type { Answer, Usage } from "../exchange.ts";
import { asCount, asText, asTextOrNull, type JsonObject } from "./json.ts";

/** Choices and tool calls one answer may have; an upstream that numbers them higher is not believed. */
export const MAX_PARTS = 1024;

/** One call of a tool, in the form of OpenAI's chat API, into which every dialect is brought. */
export interface ToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

interface CallParts {
  id: string;
  name: string;
  readonly pieces: string[];
}

/** Pieces of text by choice, of tool calls by place, and the last word on finish reason and usage. */
export class AnswerBuilder {
  readonly #texts = new Map<number, string[]>();
  readonly #calls = new Map<string, CallParts>();
  #finishReason: string | null = null;
  #promptTokens: number | null = null;
  #completionTokens: number | null = null;

  /** Appends text to a choice (0 where the dialect has only one). */
  text(piece: unknown, choice: unknown = 0): void {
    if (typeof piece !== "string" || piece === "") return;
    const index = asCount(choice) ?? 0;
    const pieces = this.#texts.get(index);
    if (pieces !== undefined) pieces.push(piece);
    else if (this.#texts.size < MAX_PARTS) this.#texts.set(index, [piece]);
  }

  /** Appends to the tool call at a place. `id` and `name` come once, arguments in pieces. */
  toolCall(place: string, part: { id?: unknown; name?: unknown; arguments?: unknown }): void {
    let call = this.#calls.get(place);
    if (call === undefined) {
      if (this.#calls.size >= MAX_PARTS) return;
      call = { id: "", name: "", pieces: [] };
      this.#calls.set(place, call);
    }
    call.id ||= asText(part.id);
    call.name ||= asText(part.name);
    if (typeof part.arguments === "string") call.pieces.push(part.arguments);
    else if (part.arguments !== undefined && part.arguments !== null) {
      call.pieces.push(JSON.stringify(part.arguments));
    }
  }

  /** Replaces what was collected as arguments: some dialects repeat the whole at the end. */
  toolCallWhole(place: string, part: { id?: unknown; name?: unknown; arguments?: unknown }): void {
    const call = this.#calls.get(place);
    if (call !== undefined) call.pieces.length = 0;
    this.toolCall(place, part);
  }

  finish(reason: unknown): void {
    this.#finishReason = asTextOrNull(reason) ?? this.#finishReason;
  }

  /** Later figures replace earlier ones: streams report running totals. */
  usage(promptTokens: number | null, completionTokens: number | null): void {
    this.#promptTokens = promptTokens ?? this.#promptTokens;
    this.#completionTokens = completionTokens ?? this.#completionTokens;
  }

  /** Tool calls so far. */
  get calls(): number {
    return this.#calls.size;
  }

  /** The answer: texts of several choices are joined by a line break, in the order of their numbers. */
  build(status: number): Answer {
    const text = [...this.#texts]
      .sort(([a], [b]) => a - b)
      .map(([, pieces]) => pieces.join(""))
      .join("\n");
    return {
      status,
      text,
      finishReason: this.#finishReason,
      toolCalls: [...this.#calls.values()].map(toToolCall),
      usage: this.#usage(),
    };
  }

  #usage(): Usage | null {
    if (this.#promptTokens === null && this.#completionTokens === null) return null;
    return { promptTokens: this.#promptTokens ?? 0, completionTokens: this.#completionTokens ?? 0 };
  }
}

/** Sum of the counts that are there, or null when none is. */
export function sumOfCounts(object: JsonObject, names: readonly string[]): number | null {
  const counts = names.map((name) => asCount(object[name])).filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

function toToolCall(call: CallParts): ToolCall {
  return { id: call.id, type: "function", function: { name: call.name, arguments: call.pieces.join("") } };
}
