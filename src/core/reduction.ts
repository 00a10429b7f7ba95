// What the measure `reduce` takes out of a request: what a copier needs and a product rarely does.
import { type Reduced, withoutMembers } from "./json-members.ts";

/** Log-probabilities and log-bias, which give the output layer away entry by entry. */
const ALWAYS: ReadonlySet<string> = new Set(["logprobs", "top_logprobs", "logit_bias", "prompt_logprobs"]);
/** Several samples of one question: without these members there is one. */
const SAMPLES: ReadonlySet<string> = new Set(["n", "best_of"]);
/** The model's reasoning, which is what distillation wants most. */
const REASONING: ReadonlySet<string> = new Set(["thinking", "think", "include_reasoning"]);
/** Values of the Responses API's `include` that ask for the same. */
const REVEALING = /logprobs|reasoning/;

/**
 * The request without what `reduce` takes away; everything else byte for byte. Names are compared as the most lenient
 * server would read them: Go's parser ignores case, and folds a few letters of other alphabets. A body that is no JSON
 * object to us may be one to a laxer parser (UTF-16, a byte order mark, NaN): `isObject` false tells the caller not to
 * let it through.
 */
export function reduceRequest(body: Uint8Array): Reduced {
  return withoutMembers(body, (written, value) => {
    const name = written.normalize("NFKC").toLowerCase();
    if (ALWAYS.has(name) || REASONING.has(name)) return true;
    if (SAMPLES.has(name)) return value() !== 1;
    return name === "include" && asksToReveal(value());
  });
}

function asksToReveal(include: unknown): boolean {
  return Array.isArray(include) && include.some((item) => typeof item === "string" && REVEALING.test(item));
}
