// The sample model's OpenAI Responses API, whole and streamed, and its embeddings and model list.
import { createHash } from "node:crypto";
import { askOf, strings, turnsOf, wholeNumber } from "./asked.ts";
import { type Call, event } from "./call.ts";
import { isObject } from "./example.ts";
import { invalid } from "./openai-chat.ts";
import { replyTo, SAMPLE_MODEL } from "./reply.ts";
import { type Speech, speak } from "./speech.ts";
import { countTokens } from "./tokens.ts";

const MAX_TOKENS = 4_096;
const MAX_DIMENSIONS = 1_024;
const DIMENSIONS = 64;
const MAX_INPUTS = 2_048;

export async function responses({ body, hash, nowMs, answer }: Call): Promise<void> {
  const turns = turnsOf(body["input"]);
  if (turns.length === 0) {
    answer.json(400, invalid("expected a text or a list of messages in `input`"));
    return;
  }
  if (typeof body["instructions"] === "string") turns.unshift({ role: "system", text: body["instructions"] });
  const format = isObject(body["text"]) ? body["text"]["format"] : null;
  const reply = replyTo(askOf(turns, body, format));
  const maxTokens = wholeNumber(body["max_output_tokens"], MAX_TOKENS);
  const said = reply.kind === "text" ? reply.text : JSON.stringify(reply.input);
  const speech = speak(said, { context: hash, maxTokens, stop: [], bias: new Map(), topLogprobs: -1 });
  const item = reply.kind === "text" ? messageItem(hash, speech.text) : callItem(hash, reply.name, said);
  const inputTokens = turns.reduce((sum, { text }) => sum + countTokens(text) + 4, 0);
  const whole = responseObject({ hash, nowMs, body, item, speech, inputTokens });
  if (body["stream"] === true) await answer.stream("text/event-stream", responseStream(whole, item, speech));
  else answer.json(200, whole);
}

type Item = Record<string, unknown> & { readonly id: string; readonly type: string };

function messageItem(hash: string, text: string): Item {
  const content = [{ type: "output_text", text, annotations: [], logprobs: [] }];
  return { id: `msg_sample_${hash}`, type: "message", status: "completed", role: "assistant", content };
}

function callItem(hash: string, name: string, input: string): Item {
  return {
    id: `fc_sample_${hash}`,
    type: "function_call",
    status: "completed",
    call_id: `call_sample_${hash}`,
    name,
    arguments: input,
  };
}

function responseObject(facts: {
  hash: string;
  nowMs: number;
  body: Record<string, unknown>;
  item: Item;
  speech: Speech;
  inputTokens: number;
}): Record<string, unknown> {
  const { hash, nowMs, body, item, speech, inputTokens } = facts;
  const isCut = speech.finish === "length";
  return {
    id: `resp_sample_${hash}`,
    object: "response",
    created_at: Math.floor(nowMs / 1_000),
    status: isCut ? "incomplete" : "completed",
    error: null,
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    instructions: body["instructions"] ?? null,
    model: SAMPLE_MODEL,
    output: [item],
    parallel_tool_calls: true,
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: speech.tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: inputTokens + speech.tokens,
    },
  };
}

function* responseStream(whole: Record<string, unknown>, item: Item, speech: Speech): Generator<string> {
  let sequence = 0;
  const send = (type: string, fields: Record<string, unknown>): string =>
    event({ type, sequence_number: sequence++, ...fields }, type);
  const place = { item_id: item.id, output_index: 0 };
  const isMessage = item.type === "message";
  const started = { ...whole, status: "in_progress", output: [], usage: null, incomplete_details: null };
  yield send("response.created", { response: started });
  yield send("response.in_progress", { response: started });
  const empty = isMessage
    ? { ...item, status: "in_progress", content: [] }
    : { ...item, status: "in_progress", arguments: "" };
  yield send("response.output_item.added", { output_index: 0, item: empty });
  if (isMessage) {
    const part = { type: "output_text", annotations: [], logprobs: [] };
    yield send("response.content_part.added", { ...place, content_index: 0, part: { ...part, text: "" } });
    for (const delta of speech.pieces) {
      yield send("response.output_text.delta", { ...place, content_index: 0, delta, logprobs: [] });
    }
    yield send("response.output_text.done", { ...place, content_index: 0, text: speech.text, logprobs: [] });
    yield send("response.content_part.done", {
      ...place,
      content_index: 0,
      part: { ...part, text: speech.text },
    });
  } else {
    yield send("response.function_call_arguments.delta", { ...place, delta: item["arguments"] });
    yield send("response.function_call_arguments.done", { ...place, arguments: item["arguments"] });
  }
  yield send("response.output_item.done", { output_index: 0, item });
  yield send(`response.${String(whole["status"])}`, { response: whole });
}

/** Hashed word features on the unit sphere: texts that share words are near each other, and nothing more is claimed. */
export function embeddings({ body, answer }: Call): void {
  const inputs = strings(body["input"]).slice(0, MAX_INPUTS);
  if (inputs.length === 0) {
    answer.json(400, invalid("expected a text or a list of texts in `input`"));
    return;
  }
  const dimensions = Math.max(1, Math.min(MAX_DIMENSIONS, wholeNumber(body["dimensions"], DIMENSIONS)));
  const asBase64 = body["encoding_format"] === "base64";
  const data = inputs.map((text, index) => {
    const vector = embed(text, dimensions);
    const embedding = asBase64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const tokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  answer.json(200, {
    object: "list",
    data,
    model: SAMPLE_MODEL,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

export function embed(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    const digest = createHash("sha256").update(word).digest();
    const at = digest.readUInt32BE(0) % dimensions;
    vector[at] = (vector[at] ?? 0) + ((digest[4] ?? 0) % 2 === 0 ? 1 : -1);
  }
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm === 0 ? vector.fill(1 / Math.sqrt(dimensions)) : vector.map((value) => value / norm);
}

const MODEL = { id: SAMPLE_MODEL, object: "model", created: 0, owned_by: "adyton-sample" };

export function models({ path, answer }: Call): void {
  if (path === "/v1/models") answer.json(200, { object: "list", data: [MODEL] });
  else if (path === `/v1/models/${SAMPLE_MODEL}`) answer.json(200, MODEL);
  else answer.json(404, invalid(`the sample model is called ${SAMPLE_MODEL}`));
}
