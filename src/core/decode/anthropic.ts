// Reads answers of Anthropic's messages API, whole or as a stream's events.
import { type AnswerBuilder, sumOfCounts } from "./answer-builder.ts";
import { asArray, asCount, asObject, asText, type JsonObject } from "./json.ts";

/** Prompt tokens are billed in three figures; what was read from a cache was part of the prompt all the same. */
const PROMPT_COUNTS = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"] as const;
const EVENTS: ReadonlySet<string> = new Set([
  "message_start",
  "content_block_start",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop",
  "ping",
]);

/** Takes a `message` or one event of its stream. Returns false when it is neither. */
export function readMessages(message: JsonObject, answer: AnswerBuilder): boolean {
  const type = asText(message["type"]);
  if (type === "message" && Array.isArray(message["content"])) {
    asArray(message["content"]).forEach((block, place) => {
      readBlock(asObject(block), place, answer);
    });
    answer.finish(message["stop_reason"]);
    readUsage(message["usage"], answer);
    return true;
  }
  if (!EVENTS.has(type)) return false;
  const place = asCount(message["index"]) ?? 0;
  if (type === "message_start") readUsage(asObject(message["message"])?.["usage"], answer);
  else if (type === "content_block_start") readBlockStart(asObject(message["content_block"]), place, answer);
  else if (type === "content_block_delta") readDelta(asObject(message["delta"]), place, answer);
  else if (type === "message_delta") {
    answer.finish(asObject(message["delta"])?.["stop_reason"]);
    readUsage(message["usage"], answer);
  }
  return true;
}

/** Thinking is left out of the text: it is not the answer; the output tokens in `usage` include it. */
function readBlock(block: JsonObject | undefined, place: number, answer: AnswerBuilder): void {
  if (block?.["type"] === "text") answer.text(block["text"]);
  else if (isToolUse(block)) {
    answer.toolCall(`${place}`, { id: block?.["id"], name: block?.["name"], arguments: block?.["input"] });
  }
}

/** The input of a tool call starts as an empty object and comes in deltas; text may start with a first piece. */
function readBlockStart(block: JsonObject | undefined, place: number, answer: AnswerBuilder): void {
  if (block?.["type"] === "text") answer.text(block["text"]);
  else if (isToolUse(block)) answer.toolCall(`${place}`, { id: block?.["id"], name: block?.["name"] });
}

function readDelta(delta: JsonObject | undefined, place: number, answer: AnswerBuilder): void {
  if (delta?.["type"] === "text_delta") answer.text(delta["text"]);
  else if (delta?.["type"] === "input_json_delta") {
    answer.toolCall(`${place}`, { arguments: delta["partial_json"] });
  }
}

function isToolUse(block: JsonObject | undefined): boolean {
  return block?.["type"] === "tool_use" || block?.["type"] === "server_tool_use";
}

function readUsage(value: unknown, answer: AnswerBuilder): void {
  const usage = asObject(value);
  if (usage !== undefined) answer.usage(sumOfCounts(usage, PROMPT_COUNTS), asCount(usage["output_tokens"]));
}
