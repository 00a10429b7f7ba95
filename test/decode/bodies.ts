// Answers as the public documentation of each API describes them, written out by hand.
type Bodies<Name extends string> = Readonly<Record<Name, string>>;

const sse = (events: readonly unknown[]): string =>
  events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");
const named = (events: readonly { readonly type: string; readonly [field: string]: unknown }[]): string =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const lines = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join("");
const chunk = (delta: unknown, finish: string | null = null): unknown => ({
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: finish }],
  usage: null,
});

const CHAT_USAGE = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 };

export const OpenAiBodies: Bodies<
  "chat" | "chatStream" | "completion" | "completionStream" | "response" | "responseStream" | "embeddings"
> = {
  chat: JSON.stringify({
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "Hello, wörld",
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } },
          ],
        },
        finish_reason: "tool_calls",
      },
      { index: 1, message: { role: "assistant", content: [{ type: "text", text: "Hi" }] } },
    ],
    usage: CHAT_USAGE,
  }),
  chatStream: `: a comment\n\n${sse([
    chunk({ role: "assistant", content: "" }),
    chunk({ content: "Hello, " }),
    chunk({ content: "wörld" }),
    chunk({ tool_calls: [{ index: 0, id: "call_1", function: { name: "weather", arguments: "" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index: 1, id: "call_2", function: { name: "time", arguments: "{}" } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"Bern"}' } }] }),
    chunk({}, "tool_calls"),
    { object: "chat.completion.chunk", choices: [], usage: CHAT_USAGE },
    "[DONE]",
  ])}`,
  completion: JSON.stringify({
    object: "text_completion",
    choices: [{ index: 0, text: "once upon", finish_reason: "length" }],
  }),
  completionStream: sse([
    { object: "text_completion", choices: [{ index: 0, text: "once " }] },
    { object: "text_completion", choices: [{ index: 0, text: "upon", finish_reason: "stop" }] },
    "[DONE]",
  ]),
  response: JSON.stringify({
    object: "response",
    status: "completed",
    output: [
      { type: "reasoning", summary: [{ type: "summary_text", text: "secret thoughts" }] },
      { type: "message", content: [{ type: "output_text", text: "The answer is 4." }] },
      { type: "function_call", call_id: "call_9", name: "add", arguments: '{"a":2}' },
    ],
    usage: { input_tokens: 20, output_tokens: 9 },
  }),
  responseStream: named([
    { type: "response.created", response: { object: "response", status: "in_progress" } },
    { type: "response.reasoning_summary_text.delta", delta: "secret thoughts" },
    { type: "response.output_text.delta", output_index: 1, delta: "The answer " },
    { type: "response.output_text.delta", output_index: 1, delta: "is 4." },
    { type: "response.output_text.done", output_index: 1, text: "The answer is 4." },
    {
      type: "response.output_item.added",
      output_index: 2,
      item: { type: "function_call", call_id: "call_9", name: "add", arguments: "" },
    },
    { type: "response.function_call_arguments.delta", output_index: 2, delta: '{"a"' },
    { type: "response.function_call_arguments.delta", output_index: 2, delta: ":2}" },
    {
      type: "response.output_item.done",
      output_index: 2,
      item: { type: "function_call", call_id: "call_9", name: "add", arguments: '{"a":2}' },
    },
    {
      type: "response.completed",
      response: { status: "completed", usage: { input_tokens: 20, output_tokens: 9 } },
    },
  ]),
  embeddings: JSON.stringify({
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: [0.25, -1] }],
    usage: { prompt_tokens: 5, total_tokens: 5 },
  }),
};

export const AnthropicBodies: Bodies<"message" | "stream"> = {
  message: JSON.stringify({
    type: "message",
    role: "assistant",
    content: [
      { type: "thinking", thinking: "secret thoughts", signature: "x" },
      { type: "text", text: "Let me look." },
      { type: "tool_use", id: "toolu_1", name: "search", input: { q: "rain" } },
    ],
    stop_reason: "tool_use",
    usage: { input_tokens: 30, cache_read_input_tokens: 3, output_tokens: 21 },
  }),
  stream: named([
    {
      type: "message_start",
      message: {
        type: "message",
        content: [],
        usage: { input_tokens: 30, cache_read_input_tokens: 3, output_tokens: 1 },
      },
    },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "secret thoughts" } },
    { type: "content_block_stop", index: 0 },
    { type: "ping" },
    { type: "content_block_start", index: 1, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "Let me " } },
    { type: "content_block_delta", index: 1, delta: { type: "text_delta", text: "look." } },
    { type: "content_block_stop", index: 1 },
    {
      type: "content_block_start",
      index: 2,
      content_block: { type: "tool_use", id: "toolu_1", name: "search", input: {} },
    },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '{"q":' } },
    { type: "content_block_delta", index: 2, delta: { type: "input_json_delta", partial_json: '"rain"}' } },
    { type: "content_block_stop", index: 2 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 21 } },
    { type: "message_stop" },
  ]),
};

const LOOK = { function: { name: "look", arguments: { up: true } } };

export const OllamaBodies: Bodies<"chat" | "chatLines" | "generateLines"> = {
  chat: JSON.stringify({
    model: "m",
    message: { role: "assistant", content: "Blue sky", tool_calls: [LOOK] },
    done: true,
    done_reason: "stop",
    prompt_eval_count: 4,
    eval_count: 2,
  }),
  chatLines: lines([
    { model: "m", message: { role: "assistant", content: "Blue " }, done: false },
    { model: "m", message: { role: "assistant", content: "sky", tool_calls: [LOOK] }, done: false },
    {
      model: "m",
      message: { content: "" },
      done: true,
      done_reason: "stop",
      prompt_eval_count: 4,
      eval_count: 2,
    },
  ]),
  generateLines: lines([
    { model: "m", response: "once ", done: false },
    { model: "m", response: "upon", done: true, done_reason: "length" },
  ]),
};
