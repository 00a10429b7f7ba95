// Reads answers of OpenAI's chat, completions and responses APIs, whole or as a stream's messages.
import type { AnswerBuilder } from "./answer-builder.ts";
import { asArray, asCount, asObject, asText, type JsonObject } from "./json.ts";

/** Takes a `chat.completion`, `text_completion`, or a chunk of either. Returns false when it is none. */
export function readChoices(message: JsonObject, answer: AnswerBuilder): boolean {
  if (!Array.isArray(message["choices"])) return false;
  asArray(message["choices"]).forEach((entry, place) => {
    const choice = asObject(entry);
    if (choice === undefined) return;
    const index = asCount(choice["index"]) ?? place;
    answer.text(choice["text"], index);
    const part = asObject(choice["delta"]) ?? asObject(choice["message"]);
    if (part !== undefined) readPart(part, index, answer);
    answer.finish(choice["finish_reason"]);
  });
  readUsage(message["usage"], answer);
  return true;
}

function readPart(part: JsonObject, index: number, answer: AnswerBuilder): void {
  if (Array.isArray(part["content"])) {
    for (const each of asArray(part["content"])) answer.text(asObject(each)?.["text"], index);
  } else answer.text(part["content"], index);
  answer.text(part["refusal"], index);
  asArray(part["tool_calls"]).forEach((entry, place) => {
    const call = asObject(entry);
    const called = asObject(call?.["function"]) ?? asObject(call?.["custom"]);
    const at = asCount(call?.["index"]) ?? place;
    answer.toolCall(`${index}/${at}`, {
      id: call?.["id"],
      name: called?.["name"],
      arguments: called?.["arguments"] ?? called?.["input"],
    });
  });
  const legacy = asObject(part["function_call"]);
  if (legacy !== undefined) {
    answer.toolCall(`${index}/call`, { name: legacy["name"], arguments: legacy["arguments"] });
  }
}

/** Takes a `response` object or an event `response.*` of the responses API. Returns false when it is none. */
export function readResponses(message: JsonObject, answer: AnswerBuilder): boolean {
  if (message["object"] === "response" || Array.isArray(message["output"])) {
    readResponse(message, answer);
    return true;
  }
  const type = asText(message["type"]);
  if (!type.startsWith("response.")) return false;
  const place = `item/${asCount(message["output_index"]) ?? 0}`;
  if (type === "response.output_text.delta" || type === "response.refusal.delta")
    answer.text(message["delta"]);
  else if (type === "response.function_call_arguments.delta") {
    answer.toolCall(place, { arguments: message["delta"] });
  } else if (type === "response.output_item.added" || type === "response.output_item.done") {
    const item = asObject(message["item"]);
    if (item !== undefined && isCall(item)) answer.toolCallWhole(place, callOf(item));
  } else if (/^response\.(?:completed|incomplete|failed)$/.test(type)) {
    readEnd(asObject(message["response"]) ?? {}, answer);
  }
  return true;
}

function readResponse(response: JsonObject, answer: AnswerBuilder): void {
  asArray(response["output"]).forEach((entry, place) => {
    const item = asObject(entry);
    if (item === undefined) return;
    if (isCall(item)) answer.toolCallWhole(`item/${place}`, callOf(item));
    // Reasoning items are the model's own notes, not its answer; usage counts their tokens.
    if (item["type"] !== "message") return;
    for (const each of asArray(item["content"])) {
      const part = asObject(each);
      answer.text(part?.["text"]);
      answer.text(part?.["refusal"]);
    }
  });
  readEnd(response, answer);
}

function readEnd(response: JsonObject, answer: AnswerBuilder): void {
  answer.finish(asObject(response["incomplete_details"])?.["reason"] ?? response["status"]);
  readUsage(response["usage"], answer);
}

function isCall(item: JsonObject): boolean {
  return item["type"] === "function_call" || item["type"] === "custom_tool_call";
}

function callOf(item: JsonObject): { id: unknown; name: unknown; arguments: unknown } {
  return { id: item["call_id"], name: item["name"], arguments: item["arguments"] ?? item["input"] };
}

/** `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens`. */
export function readUsage(value: unknown, answer: AnswerBuilder): void {
  const usage = asObject(value);
  if (usage === undefined) return;
  answer.usage(
    asCount(usage["prompt_tokens"]) ?? asCount(usage["input_tokens"]),
    asCount(usage["completion_tokens"]) ?? asCount(usage["output_tokens"]),
  );
}
