// The sample model's Anthropic Messages API, whole and streamed, and its token count.
import { askOf, strings, textOfContent, turnsOf, wholeNumber } from "./asked.ts";
import { type Call, event } from "./call.ts";
import { replyTo, SAMPLE_MODEL, type Turn } from "./reply.ts";
import { type Speech, speak } from "./speech.ts";
import { countTokens } from "./tokens.ts";

export async function messages({ body, hash, answer }: Call): Promise<void> {
  const turns = turnsWithSystem(body);
  if (turns.length === 0 || typeof body["max_tokens"] !== "number") {
    answer.json(400, invalidMessage("expected `messages` with at least one message, and `max_tokens`"));
    return;
  }
  const reply = replyTo(askOf(turns, body, null));
  const said = reply.kind === "text" ? reply.text : JSON.stringify(reply.input);
  const speech = speak(said, {
    context: hash,
    maxTokens: reply.kind === "text" ? wholeNumber(body["max_tokens"], 1) : Number.MAX_SAFE_INTEGER,
    stop: strings(body["stop_sequences"]),
    bias: new Map(),
    topLogprobs: -1,
  });
  const block: Block =
    reply.kind === "text"
      ? { type: "text", text: speech.text }
      : { type: "tool_use", id: `toolu_sample_${hash}`, name: reply.name, input: reply.input };
  const stopReason =
    reply.kind === "tool" ? "tool_use" : speech.finish === "length" ? "max_tokens" : "end_turn";
  const whole: Message = {
    id: `msg_sample_${hash}`,
    type: "message",
    role: "assistant",
    model: SAMPLE_MODEL,
    content: [block],
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { input_tokens: inputTokens(turns), output_tokens: speech.tokens },
  };
  if (body["stream"] === true) await answer.stream("text/event-stream", messageStream(whole, block, speech));
  else answer.json(200, whole);
}

type Block = { type: "text"; text: string } | { type: "tool_use"; id: string; name: string; input: unknown };

interface Message {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: readonly Block[];
  readonly stop_reason: string | null;
  readonly stop_sequence: null;
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

function* messageStream(whole: Message, block: Block, speech: Speech): Generator<string> {
  const send = (type: string, fields: object): string => event({ type, ...fields }, type);
  const usage = { ...whole.usage, output_tokens: 1 };
  yield send("message_start", { message: { ...whole, content: [], stop_reason: null, usage } });
  const empty = block.type === "text" ? { ...block, text: "" } : { ...block, input: {} };
  yield send("content_block_start", { index: 0, content_block: empty });
  yield send("ping", {});
  for (const piece of speech.pieces) {
    const delta =
      block.type === "text"
        ? { type: "text_delta", text: piece }
        : { type: "input_json_delta", partial_json: piece };
    yield send("content_block_delta", { index: 0, delta });
  }
  yield send("content_block_stop", { index: 0 });
  yield send("message_delta", {
    delta: { stop_reason: whole.stop_reason, stop_sequence: null },
    usage: { output_tokens: whole.usage.output_tokens },
  });
  yield send("message_stop", {});
}

export function countMessageTokens({ body, answer }: Call): void {
  answer.json(200, { input_tokens: inputTokens(turnsWithSystem(body)) });
}

function turnsWithSystem(body: Record<string, unknown>): Turn[] {
  const turns = turnsOf(body["messages"]);
  const system = textOfContent(body["system"]);
  return system === "" ? turns : [{ role: "system", text: system }, ...turns];
}

function inputTokens(turns: readonly Turn[]): number {
  return turns.reduce((sum, { text }) => sum + countTokens(text) + 4, 0);
}

export function invalidMessage(message: string): unknown {
  return { type: "error", error: { type: "invalid_request_error", message } };
}
