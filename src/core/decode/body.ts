// From the bytes of an upstream's answer to its text, tool calls and figures, whatever API it speaks.
import type { Answer } from "../exchange.ts";
import { AnswerBuilder } from "./answer-builder.ts";
import { readMessages } from "./anthropic.ts";
import { eventMessages, lineMessages, looksLikeEvents } from "./event-stream.ts";
import { asArray, asObject, parseJson, textOf } from "./json.ts";
import { readOllama } from "./ollama.ts";
import { readChoices, readResponses, readUsage } from "./openai.ts";

/**
 * Reads a body by its own shape: the path says what was asked, only the body says what came. The text of a classifier's
 * answer (Open Inference Protocol) is its first output's numbers; embeddings have an empty text. A body that can't be read gives an empty answer.
 * Never throws.
 */
export function readBody(bytes: Uint8Array, status: number): Answer {
  const answer = new AnswerBuilder();
  const text = textOf(bytes);
  if (looksLikeEvents(text)) {
    for (const message of eventMessages(text)) readMessage(message, answer);
    return answer.build(status);
  }
  const whole = parseJson(text);
  if (whole !== undefined) readMessage(whole, answer);
  else for (const message of lineMessages(text)) readMessage(message, answer);
  return answer.build(status);
}

function readMessage(value: unknown, answer: AnswerBuilder): void {
  const message = asObject(value);
  if (message === undefined) return;
  const known =
    readChoices(message, answer) ||
    readMessages(message, answer) ||
    readResponses(message, answer) ||
    readOllama(message, answer);
  // Embeddings and numeric inference: their figures count.
  if (known) return;
  readUsage(message["usage"], answer);
  answer.text(outputsOf(message["outputs"]));
}

/** Numbers of one answer that are kept as its text: enough for the classes of a batch. */
const MAX_OUTPUTS = 4_096;

function outputsOf(value: unknown): string {
  const data = asArray(asObject(asArray(value)[0])?.["data"]);
  if (data.length > MAX_OUTPUTS) return "";
  const flat: unknown[] = data.flat(4);
  return flat.every((each) => typeof each === "number" || typeof each === "string") ? flat.join(",") : "";
}
