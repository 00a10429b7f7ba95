// The sample model's Ollama API: chat, generate and embed, newline-delimited JSON when streamed (Ollama's default).
import { askOf, strings, turnsOf, wholeNumber } from "./asked.ts";
import type { Call } from "./call.ts";
import { isObject } from "./example.ts";
import { embed } from "./openai-responses.ts";
import { replyTo, SAMPLE_MODEL, type Turn } from "./reply.ts";
import { type Speech, speak } from "./speech.ts";
import { countTokens } from "./tokens.ts";

const MAX_TOKENS = 4_096;
const DIMENSIONS = 64;

export async function chat(call: Call): Promise<void> {
  const turns = turnsOf(call.body["messages"]);
  const reply = replyTo(askOf(turns, call.body, formatOf(call.body["format"])));
  if (reply.kind === "tool") {
    const tokens = countTokens(JSON.stringify(reply.input));
    const message = {
      role: "assistant",
      content: "",
      tool_calls: [{ function: { name: reply.name, arguments: reply.input } }],
    };
    const speech: Speech = { pieces: [], text: "", tokens, finish: "stop", predictions: [] };
    await answered(call, turns, speech, () => ({ message }));
    return;
  }
  await answered(call, turns, spokenFor(call, reply.text), (content) => ({
    message: { role: "assistant", content },
  }));
}

export async function generate(call: Call): Promise<void> {
  const { body } = call;
  const turns: Turn[] = [{ role: "user", text: typeof body["prompt"] === "string" ? body["prompt"] : "" }];
  const reply = replyTo({ turns, tools: [], toolChoice: false, json: null });
  await answered(call, turns, spokenFor(call, reply.kind === "text" ? reply.text : ""), (response) => ({
    response,
  }));
}

export function embedTexts({ body, answer }: Call): void {
  const inputs = strings(body["input"] ?? body["prompt"]);
  const vectors = inputs.map((text) => [...embed(text, DIMENSIONS)]);
  const tokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  if ("prompt" in body) answer.json(200, { embedding: vectors[0] ?? [] });
  else answer.json(200, { model: SAMPLE_MODEL, embeddings: vectors, prompt_eval_count: tokens });
}

export function tags({ answer }: Call): void {
  const details = {
    family: "adyton-sample",
    format: "built-in",
    parameter_size: "0",
    quantization_level: "none",
  };
  answer.json(200, {
    models: [{ name: SAMPLE_MODEL, model: SAMPLE_MODEL, size: 0, digest: "sample", details }],
  });
}

function formatOf(format: unknown): unknown {
  return format === "json"
    ? { type: "json_object" }
    : isObject(format)
      ? { type: "json_schema", schema: format }
      : null;
}

function spokenFor({ body, hash }: Call, text: string): Speech {
  const options = isObject(body["options"]) ? body["options"] : {};
  const maxTokens = wholeNumber(options["num_predict"], MAX_TOKENS);
  return speak(text, {
    context: hash,
    maxTokens,
    stop: strings(options["stop"]),
    bias: new Map(),
    topLogprobs: -1,
  });
}

async function answered(
  call: Call,
  turns: readonly Turn[],
  speech: Speech,
  part: (text: string) => object,
): Promise<void> {
  const head = { model: SAMPLE_MODEL, created_at: new Date(call.nowMs).toISOString() };
  const figures = {
    done: true,
    done_reason: speech.finish,
    total_duration: 0,
    prompt_eval_count: turns.reduce((sum, { text }) => sum + countTokens(text) + 4, 0),
    eval_count: speech.tokens,
  };
  if (call.body["stream"] === false) {
    call.answer.json(200, { ...head, ...part(speech.text), ...figures });
    return;
  }
  // A tool call has no pieces: it comes in one line of its own.
  const pieces = speech.pieces.length === 0 ? [""] : speech.pieces;
  const lines = pieces.map((piece) => `${JSON.stringify({ ...head, ...part(piece), done: false })}\n`);
  const empty = speech.pieces.length === 0 ? { message: { role: "assistant", content: "" } } : part("");
  lines.push(`${JSON.stringify({ ...head, ...empty, ...figures })}\n`);
  await call.answer.stream("application/x-ndjson", lines);
}
