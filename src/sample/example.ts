// A value that fits a JSON schema, filled from the prompt where it can be: the sample model's tool calls and JSON.

const MAX_DEPTH = 8;
const MAX_PROPERTIES = 64;

/** Deterministic. A schema that says nothing gives an empty object; unknown keywords are ignored. */
export function exampleOf(schema: unknown, prompt: string): unknown {
  return fitting(schema, prompt, 0);
}

function fitting(schema: unknown, prompt: string, depth: number): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return {};
  if ("const" in schema) return schema["const"];
  const { enum: choices, anyOf, oneOf, type } = schema;
  if (Array.isArray(choices))
    return choices.find((choice) => prompt.includes(String(choice))) ?? choices[0] ?? null;
  const [variant] = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : [];
  if (variant !== undefined) return fitting(variant, prompt, depth + 1);
  switch (Array.isArray(type) ? type[0] : type) {
    case "string":
      return stringFrom(prompt);
    case "integer":
      return Math.trunc(numberFrom(prompt));
    case "number":
      return numberFrom(prompt);
    case "boolean":
      return !/\b(no|not|never|false)\b/i.test(prompt);
    case "null":
      return null;
    case "array":
      return [fitting(schema["items"], prompt, depth + 1)];
    default:
      return objectOf(schema, prompt, depth);
  }
}

function objectOf(schema: Record<string, unknown>, prompt: string, depth: number): Record<string, unknown> {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required = Array.isArray(schema["required"]) ? schema["required"] : Object.keys(properties);
  const names = Object.keys(properties).filter((name) => required.includes(name));
  // fromEntries and not assignment: a property named __proto__ stays a property.
  return Object.fromEntries(
    names.slice(0, MAX_PROPERTIES).map((name) => [name, fitting(properties[name], prompt, depth + 1)]),
  );
}

/** What a reader would take for the object of the prompt: a quoted part, else the last name in it, else its start. */
function stringFrom(prompt: string): string {
  const quoted = /["“']([^"”']{1,80})["”']/.exec(prompt)?.[1];
  const names = prompt.slice(1).match(/\b\p{Lu}\p{L}+(?: \p{Lu}\p{L}+)*/gu);
  return quoted ?? names?.at(-1) ?? prompt.trim().slice(0, 80);
}

function numberFrom(prompt: string): number {
  return Number(/-?\d+(?:\.\d+)?/.exec(prompt)?.[0] ?? 0);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
