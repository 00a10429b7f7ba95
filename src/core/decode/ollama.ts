// Reads answers of Ollama's chat, generate and embed APIs, whole or as the lines of a stream.
import type { AnswerBuilder } from "./answer-builder.ts";
import { asArray, asCount, asObject, type JsonObject } from "./json.ts";

/** Takes an answer or one line of its stream. Returns false when it is neither. */
export function readOllama(message: JsonObject, answer: AnswerBuilder): boolean {
  const isEmbedding = Array.isArray(message["embeddings"]) || Array.isArray(message["embedding"]);
  if (typeof message["done"] !== "boolean" && !isEmbedding) return false;
  const part = asObject(message["message"]);
  answer.text(part?.["content"] ?? message["response"]);
  for (const entry of asArray(part?.["tool_calls"])) {
    const called = asObject(asObject(entry)?.["function"]);
    if (called === undefined) continue;
    // A call comes whole in one line, without an identifier: its number in the answer is its place.
    answer.toolCall(`${answer.calls}`, { name: called["name"], arguments: called["arguments"] });
  }
  answer.finish(message["done_reason"]);
  answer.usage(asCount(message["prompt_eval_count"]), asCount(message["eval_count"]));
  return true;
}
