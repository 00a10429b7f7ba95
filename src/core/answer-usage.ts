// Finds how many tokens an answer used, cheaply enough for the request path: by its end and beginning, without parsing it whole.

export interface TokensUsed {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** APIs put their figures at the end; Anthropic's streams put the input's at the beginning. */
const END_BYTES = 8192;
const BEGINNING_BYTES = 4096;
const BYTES_PER_TOKEN = 4;

const INPUT = /"(?:prompt_tokens|input_tokens|prompt_eval_count)"\s*:\s*(\d{1,12})/g;
const OUTPUT = /"(?:completion_tokens|output_tokens|eval_count)"\s*:\s*(\d{1,12})/g;

/**
 * The upstream's own figures where the answer holds them. Text that the model wrote can't pass for them: inside a JSON
 * string a quote is escaped. Otherwise an estimate: four bytes a token, and for a stream its events.
 */
export function tokensUsed({
  request,
  answer,
  isStream,
}: {
  request: Uint8Array;
  answer: Uint8Array;
  isStream: boolean;
}): TokensUsed {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  const end = bytes.subarray(Math.max(0, bytes.length - END_BYTES)).toString("latin1");
  const beginning = bytes.subarray(0, BEGINNING_BYTES).toString("latin1");
  const input = lastOf(INPUT, end) ?? lastOf(INPUT, beginning);
  const output = lastOf(OUTPUT, end);
  return {
    inputTokens: input ?? Math.ceil(request.length / BYTES_PER_TOKEN),
    outputTokens: output ?? (isStream ? events(bytes) : Math.ceil(bytes.length / BYTES_PER_TOKEN)),
  };
}

function lastOf(pattern: RegExp, text: string): number | null {
  let found: number | null = null;
  for (const match of text.matchAll(pattern)) found = Number(match[1]);
  return found;
}

/** Servers send about one event a token; lines for streams of JSON lines. */
function events(bytes: Buffer): number {
  let count = 0;
  const mark = bytes.includes("data:") ? "data:" : "\n";
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) count += 1;
  return count;
}
