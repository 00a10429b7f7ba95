// Turns a reply into the pieces that a stream sends, within the request's own limits, with log-probabilities.

import { type Prediction, predict } from "./output-layer.ts";
import { countTokens, textOf, tokensOf } from "./tokens.ts";

export interface SpeechOptions {
  /** Identifies everything before the answer; the output layer's hidden state depends on it. */
  readonly context: string;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly bias: ReadonlyMap<number, number>;
  /** -1: no log-probabilities wanted. */
  readonly topLogprobs: number;
}

export interface Speech {
  readonly pieces: readonly string[];
  readonly text: string;
  readonly tokens: number;
  readonly finish: "stop" | "length";
  /** One for each token, when asked for. */
  readonly predictions: readonly Prediction[];
}

/** Longest answer of which each token is predicted; longer ones cost a vocabulary's worth of work a token. */
const MAX_PREDICTED_TOKENS = 2_048;

/**
 * Without bias or log-probabilities the text is taken as it is; with them each token goes through the output layer,
 * and a bias strong enough changes what is said, as in a real model.
 */
export function speak(text: string, options: SpeechOptions): Speech {
  const isPredicted = options.bias.size > 0 || options.topLogprobs >= 0;
  return isPredicted ? predicted(text, options) : plain(text, options);
}

function plain(text: string, options: SpeechOptions): Speech {
  const stopped = beforeStop(text, options.stop);
  const all = stopped.match(/\s*\S+|\s+$/gu) ?? [];
  const pieces: string[] = [];
  let tokens = 0;
  for (const piece of all) {
    const cost = Math.max(1, countTokens(piece));
    if (tokens + cost > options.maxTokens)
      return { pieces, text: pieces.join(""), tokens, finish: "length", predictions: [] };
    pieces.push(piece);
    tokens += cost;
  }
  return { pieces, text: stopped, tokens, finish: "stop", predictions: [] };
}

function predicted(text: string, options: SpeechOptions): Speech {
  const planned = tokensOf(beforeStop(text, options.stop));
  const limit = Math.min(options.maxTokens, MAX_PREDICTED_TOKENS);
  const predictions = planned.slice(0, limit).map((token, index) =>
    predict(`${options.context}\n${index}`, token, {
      bias: options.bias,
      topCount: Math.max(0, options.topLogprobs),
    }),
  );
  const ids = predictions.map(({ id }) => id);
  const said = beforeStop(textOf(ids), options.stop);
  return {
    pieces: said === "" ? [] : (said.match(/\s*\S+|\s+$/gu) ?? []),
    text: said,
    tokens: ids.length,
    finish: planned.length > limit ? "length" : "stop",
    predictions: options.topLogprobs >= 0 ? predictions : [],
  };
}

function beforeStop(text: string, stop: readonly string[]): string {
  const cuts = stop
    .filter((mark) => mark !== "")
    .map((mark) => text.indexOf(mark))
    .filter((at) => at >= 0);
  return cuts.length === 0 ? text : text.slice(0, Math.min(...cuts));
}
