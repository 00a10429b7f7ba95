// Reads what the different APIs ask for into the one form that the reply depends on. Unknown fields are ignored.
import { isObject } from "./example.ts";
import type { Ask, ToolOffer, Turn } from "./reply.ts";

/** Text of a message's content: a string, or the text parts of a list. */
export function textOfContent(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (isObject(part) ? partText(part) : "")).join("");
}

function partText(part: Record<string, unknown>): string {
  if (typeof part["text"] === "string") return part["text"];
  return part["type"] === "tool_result" ? textOfContent(part["content"]) : "";
}

export function turnsOf(messages: unknown): Turn[] {
  if (typeof messages === "string") return [{ role: "user", text: messages }];
  if (!Array.isArray(messages)) return [];
  return messages.filter(isObject).map((message) => ({ role: roleOf(message), text: turnText(message) }));
}

function turnText(message: Record<string, unknown>): string {
  return message["type"] === "function_call_output"
    ? String(message["output"])
    : textOfContent(message["content"]);
}

function roleOf(message: Record<string, unknown>): Turn["role"] {
  const { role, type, content } = message;
  const isResult =
    Array.isArray(content) && content.some((part) => isObject(part) && part["type"] === "tool_result");
  if (role === "tool" || type === "function_call_output" || isResult) return "tool";
  if (role === "system" || role === "developer") return "system";
  return role === "assistant" || type === "function_call" ? "assistant" : "user";
}

/** Tools of OpenAI's two shapes (nested and flat) and of Anthropic's. */
export function toolsOf(tools: unknown): ToolOffer[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isObject).flatMap((tool) => {
    const definition = isObject(tool["function"]) ? tool["function"] : tool;
    const schema = definition["parameters"] ?? definition["input_schema"] ?? {};
    return typeof definition["name"] === "string" ? [{ name: definition["name"], schema }] : [];
  });
}

/** OpenAI: "auto", "none", "required", or an object; Anthropic: an object with a type. */
export function toolChoiceOf(choice: unknown): string | boolean {
  if (choice === "none") return false;
  if (!isObject(choice)) return true;
  if (choice["type"] === "none") return false;
  const named = isObject(choice["function"]) ? choice["function"]["name"] : choice["name"];
  return typeof named === "string" ? named : true;
}

/** `response_format` of chat, or `text.format` of the Responses API. */
export function jsonOf(format: unknown): unknown {
  if (!isObject(format)) return null;
  if (format["type"] === "json_object") return true;
  if (format["type"] !== "json_schema") return null;
  const nested = format["json_schema"];
  return (isObject(nested) ? nested["schema"] : format["schema"]) ?? true;
}

export function askOf(turns: Turn[], body: Record<string, unknown>, format: unknown): Ask {
  return {
    turns,
    tools: toolsOf(body["tools"]),
    toolChoice: toolChoiceOf(body["tool_choice"]),
    json: jsonOf(format),
  };
}

export function wholeNumber(value: unknown, standard: number): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : standard;
}

export function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** `logit_bias`: token id to bias, clipped to the -100 to 100 of the API. */
export function biasOf(value: unknown): Map<number, number> {
  const bias = new Map<number, number>();
  if (!isObject(value)) return bias;
  for (const [id, amount] of Object.entries(value)) {
    if (/^\d{1,6}$/.test(id) && typeof amount === "number")
      bias.set(Number(id), Math.max(-100, Math.min(100, amount)));
  }
  return bias;
}
