// The sample model's OpenAI chat and text completions, whole and streamed.
import { askOf, biasOf, strings, turnsOf, wholeNumber } from "./asked.ts";
import { type Call, event } from "./call.ts";
import { isObject } from "./example.ts";
import { type Prediction, shownToken } from "./output-layer.ts";
import { replyTo, SAMPLE_MODEL, type Turn } from "./reply.ts";
import { type Speech, speak } from "./speech.ts";
import { countTokens } from "./tokens.ts";

const MAX_CHOICES = 16;
const MAX_TOP_LOGPROBS = 20;
const MAX_TOKENS = 4_096;

export async function chatCompletions({ body, hash, nowMs, answer }: Call): Promise<void> {
  const turns = turnsOf(body["messages"]);
  if (turns.length === 0) {
    answer.json(400, invalid("expected at least one message in `messages`"));
    return;
  }
  const { message, speech } = said(turns, body);
  const head = { id: `chatcmpl-sample-${hash}`, created: Math.floor(nowMs / 1_000), model: SAMPLE_MODEL };
  const choices = Math.max(1, Math.min(MAX_CHOICES, wholeNumber(body["n"], 1)));
  const usage = usageOf(turns, speech.tokens * choices);
  const finish = "tool_calls" in message ? "tool_calls" : speech.finish;
  if (body["stream"] === true) {
    const options = body["stream_options"];
    const wantsUsage = isObject(options) && options["include_usage"] === true;
    await answer.stream(
      "text/event-stream",
      chatStream({ head, message, speech, choices, finish, usage: wantsUsage ? usage : null }),
    );
    return;
  }
  const logprobs =
    speech.predictions.length === 0 ? null : { content: speech.predictions.map(shown), refusal: null };
  answer.json(200, {
    ...head,
    object: "chat.completion",
    choices: Array.from({ length: choices }, (_, index) => ({
      index,
      message,
      logprobs,
      finish_reason: finish,
    })),
    usage,
    system_fingerprint: "fp_sample",
  });
}

interface ChatMessage {
  readonly role: "assistant";
  readonly content: string | null;
  readonly refusal: null;
  readonly tool_calls?: readonly {
    id: string;
    type: "function";
    function: { name: string; arguments: string };
  }[];
}

function said(turns: Turn[], body: Record<string, unknown>): { message: ChatMessage; speech: Speech } {
  const reply = replyTo(askOf(turns, body, body["response_format"]));
  if (reply.kind === "tool") {
    const input = JSON.stringify(reply.input);
    const call = {
      id: `call_sample_${countTokens(input)}`,
      type: "function" as const,
      function: { name: reply.name, arguments: input },
    };
    const speech: Speech = {
      pieces: [input],
      text: input,
      tokens: countTokens(input),
      finish: "stop",
      predictions: [],
    };
    return { message: { role: "assistant", content: null, refusal: null, tool_calls: [call] }, speech };
  }
  const speech = speak(reply.text, {
    context: JSON.stringify(turns),
    maxTokens: wholeNumber(body["max_completion_tokens"] ?? body["max_tokens"], MAX_TOKENS),
    stop: strings(body["stop"]),
    bias: biasOf(body["logit_bias"]),
    topLogprobs:
      body["logprobs"] === true ? Math.min(MAX_TOP_LOGPROBS, wholeNumber(body["top_logprobs"], 0)) : -1,
  });
  return { message: { role: "assistant", content: speech.text, refusal: null }, speech };
}

function shown(prediction: Prediction): unknown {
  return { ...shownToken(prediction), top_logprobs: prediction.top.map(shownToken) };
}

interface ChatStream {
  readonly head: { id: string; created: number; model: string };
  readonly message: ChatMessage;
  readonly speech: Speech;
  readonly choices: number;
  readonly finish: string;
  /** null: not asked for. */
  readonly usage: unknown;
}

function* chatStream({ head, message, speech, choices, finish, usage }: ChatStream): Generator<string> {
  const base = { ...head, object: "chat.completion.chunk", system_fingerprint: "fp_sample" };
  const chunk = (
    index: number,
    delta: unknown,
    finishReason: string | null,
    logprobs: unknown = null,
  ): string => event({ ...base, choices: [{ index, delta, logprobs, finish_reason: finishReason }] });
  for (let index = 0; index < choices; index += 1) {
    yield chunk(index, { role: "assistant", content: message.tool_calls === undefined ? "" : null }, null);
    for (const call of message.tool_calls ?? []) {
      yield chunk(
        index,
        { tool_calls: [{ index: 0, ...call, function: { name: call.function.name, arguments: "" } }] },
        null,
      );
      yield chunk(
        index,
        { tool_calls: [{ index: 0, function: { arguments: call.function.arguments } }] },
        null,
      );
    }
    if (speech.predictions.length > 0) {
      for (const prediction of speech.predictions) {
        yield chunk(index, { content: shownToken(prediction).token }, null, {
          content: [shown(prediction)],
          refusal: null,
        });
      }
    } else if (message.tool_calls === undefined) {
      for (const piece of speech.pieces) yield chunk(index, { content: piece }, null);
    }
    yield chunk(index, {}, finish);
  }
  if (usage !== null) yield event({ ...base, choices: [], usage });
  yield event("[DONE]");
}

/** The older text API: the prompt is the user's turn. */
export async function completions({ body, hash, nowMs, answer }: Call): Promise<void> {
  const prompt = strings(body["prompt"])[0] ?? "";
  const turns: Turn[] = [{ role: "user", text: prompt }];
  const { speech } = said(turns, { ...body, tools: undefined, response_format: undefined, logprobs: false });
  const head = {
    id: `cmpl-sample-${hash}`,
    object: "text_completion",
    created: Math.floor(nowMs / 1_000),
    model: SAMPLE_MODEL,
  };
  const part = (text: string, finish: string | null): unknown => ({
    ...head,
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
  });
  if (body["stream"] === true) {
    const events = speech.pieces.map((piece) => event(part(piece, null)));
    await answer.stream("text/event-stream", [...events, event(part("", speech.finish)), event("[DONE]")]);
  } else {
    answer.json(200, {
      ...(part(speech.text, speech.finish) as object),
      usage: usageOf(turns, speech.tokens),
    });
  }
}

/** Four tokens for the frame of each message, as OpenAI's own counting has it. */
export function usageOf(turns: readonly Turn[], completionTokens: number): Record<string, number> {
  const promptTokens = turns.reduce((sum, { text }) => sum + countTokens(text) + 4, 0);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

export function invalid(message: string): unknown {
  return { error: { message, type: "invalid_request_error", param: null, code: null } };
}
