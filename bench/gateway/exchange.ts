// The requests and answers of the benchmark: sizes as measured in real chat traffic, the same for every target.

export const REQUEST_BYTES = 1_900;
export const ANSWER_BYTES = 2_000;
export const EVENTS_PER_STREAM = 100;
export const PACED_EVENT_INTERVAL_MS = 10;

/** `json`: a whole answer. `paced`: a stream with pauses. `flood`: a stream as fast as it is taken. */
export type Kind = "json" | "paced" | "flood";

export function requestBody(kind: Kind): string {
  const content = "Explain the difference between these two approaches. "
    .repeat(40)
    .slice(0, REQUEST_BYTES - 180);
  const head = { model: `bench-${kind}`, stream: kind !== "json", temperature: 0.7, max_tokens: 512 };
  return JSON.stringify({ ...head, messages: [{ role: "user", content }] });
}

export const ANSWER: Buffer = (() => {
  const content = "The first approach is simpler; the second scales. "
    .repeat(60)
    .slice(0, ANSWER_BYTES - 330);
  return Buffer.from(
    JSON.stringify({
      id: "chatcmpl-bench",
      object: "chat.completion",
      created: 1_700_000_000,
      model: "bench",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage: { prompt_tokens: 400, completion_tokens: 380, total_tokens: 780 },
    }),
  );
})();

export const EVENT: Buffer = Buffer.from(
  `data: ${JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "bench",
    choices: [{ index: 0, delta: { content: " approach" }, finish_reason: null }],
  })}\n\n`,
);

export const DONE: Buffer = Buffer.from("data: [DONE]\n\n");
