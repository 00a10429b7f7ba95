// What the sample model answers: a deterministic function of the conversation that never pretends to know anything.
import { arithmeticIn } from "./arithmetic.ts";
import { exampleOf } from "./example.ts";

export const SAMPLE_MODEL = "adyton-sample-1";
const SIGNATURE = `(This is ${SAMPLE_MODEL}, the sample model built into Adyton: deterministic, and no real model.)`;

/** A turn in any of the APIs, reduced to what the reply depends on. */
export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
}

export interface ToolOffer {
  readonly name: string;
  /** JSON schema of the arguments; attacker-controlled like everything in a request. */
  readonly schema: unknown;
}

export interface Ask {
  readonly turns: readonly Turn[];
  readonly tools: readonly ToolOffer[];
  /** Name of the tool that must be called, `true` for any, `false` when none may be. */
  readonly toolChoice: string | boolean;
  /** JSON schema of the wanted answer, `true` for any JSON, null for text. */
  readonly json: unknown;
}

export type Reply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool"; readonly name: string; readonly input: unknown };

/** A tool is called for each new question when one is offered; its result is then reported in words. */
export function replyTo(ask: Ask): Reply {
  const last = ask.turns.at(-1);
  const prompt = last?.text ?? "";
  if (ask.toolChoice !== false && last?.role !== "tool") {
    const chosen = ask.tools.find(({ name }) => ask.toolChoice === true || name === ask.toolChoice);
    if (chosen !== undefined)
      return { kind: "tool", name: chosen.name, input: exampleOf(chosen.schema, prompt) };
  }
  if (ask.json === true)
    return { kind: "text", text: JSON.stringify({ model: SAMPLE_MODEL, answer: spoken(prompt) }) };
  if (ask.json !== null) return { kind: "text", text: JSON.stringify(exampleOf(ask.json, prompt)) };
  if (last?.role === "tool")
    return { kind: "text", text: `The tool's result reads: ${excerpt(prompt)} ${SIGNATURE}` };
  return { kind: "text", text: `${spoken(prompt)} ${SIGNATURE}` };
}

function spoken(prompt: string): string {
  const sum = arithmeticIn(prompt);
  if (sum !== null) return `${sum.expression} equals ${sum.value}.`;
  if (/\b(who|what) are you\b|\bwhat can you do\b|\bwhich model\b/i.test(prompt)) {
    return "I am a small sample model. I do sums, count words, call tools and give JSON, so that you can try the way from your client to Adyton's console.";
  }
  if (/^\s*(hello|hi|hey|good (morning|evening|day))\b/i.test(prompt))
    return "Hello. Ask me for a sum, or write a few sentences and I count them.";
  return counted(prompt);
}

function counted(prompt: string): string {
  const words = prompt.match(/[\p{L}\p{N}']+/gu) ?? [];
  if (words.length === 0) return "Your message contains no words.";
  const sentences = prompt.split(/[.!?]+(?:\s|$)/).filter((part) => part.trim() !== "").length;
  const longest = words.reduce((most, word) => (word.length > most.length ? word : most), "");
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
  const [often = ["", 0]] = [...counts].sort((a, b) => b[1] - a[1]);
  const repeated = often[1] > 1 ? ` The most used word is "${often[0]}" (${often[1]} times).` : "";
  return (
    `Your message has ${plural(words.length, "word")} in ${plural(Math.max(1, sentences), "sentence")}. ` +
    `The longest word is "${longest.slice(0, 60)}".${repeated} It begins: ${excerpt(prompt)}`
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 117)}...` : line);
}
