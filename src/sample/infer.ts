// The sample model as a classifier behind the Open Inference Protocol v2: numbers in, class probabilities out.
import type { Call } from "./call.ts";
import { isObject } from "./example.ts";
import { SAMPLE_MODEL } from "./reply.ts";

const CLASSES = 3;
const MAX_VALUES = 1_000_000;

const METADATA = {
  name: SAMPLE_MODEL,
  versions: ["1"],
  platform: "adyton_sample",
  inputs: [{ name: "input", datatype: "FP32", shape: [-1, -1] }],
  outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, CLASSES] }],
};

export function metadata({ path, answer }: Call): void {
  if (path === "/v2") answer.json(200, { name: "adyton-sample", version: "1", extensions: [] });
  else if (path.startsWith("/v2/health/")) answer.json(200, {});
  else if (path.endsWith("/ready")) answer.json(200, { name: SAMPLE_MODEL, ready: true });
  else answer.json(200, METADATA);
}

/** A fixed linear layer and a softmax over each row of the first input. */
export function infer({ body, answer }: Call): void {
  const input: unknown = Array.isArray(body["inputs"]) ? body["inputs"][0] : null;
  const data = isObject(input) && Array.isArray(input["data"]) ? numbers(input["data"]) : null;
  const shape = isObject(input) && Array.isArray(input["shape"]) ? numbers(input["shape"]) : null;
  const [rows = 0, columns = 0] = shape ?? [];
  if (data === null || data.length === 0 || rows * columns !== data.length) {
    answer.json(400, {
      error: "expected one input with numbers in `data` and its [rows, columns] in `shape`",
    });
    return;
  }
  const probabilities: number[] = [];
  for (let row = 0; row < rows; row += 1)
    probabilities.push(...classify(data.slice(row * columns, (row + 1) * columns)));
  const output = { name: "probabilities", datatype: "FP32", shape: [rows, CLASSES], data: probabilities };
  const id = typeof body["id"] === "string" ? { id: body["id"] } : {};
  answer.json(200, { model_name: SAMPLE_MODEL, model_version: "1", ...id, outputs: [output] });
}

function classify(features: readonly number[]): number[] {
  const logits = Array.from({ length: CLASSES }, (_, label) =>
    features.reduce((sum, value, at) => sum + value * Math.sin(1 + label * 2.1 + at * 0.7), 0),
  );
  const highest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function numbers(values: readonly unknown[]): number[] | null {
  const flat = values.flat(2);
  if (flat.length > MAX_VALUES || !flat.every((value) => typeof value === "number")) return null;
  return flat;
}
