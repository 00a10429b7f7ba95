// A small keyed sketch of numeric inputs (Open Inference Protocol): distances between inputs can be read, inputs can't.

/** Numbers that stand for one input. The square of a distance is off by about a third (sqrt(2/16)). */
export const NUMERIC_DIMENSIONS = 16;
/** Steps of one unit of the sketch; with 16 bits it reaches from -128 to 128. */
export const NUMERIC_STEPS = 256;
/** Inputs of one request that are kept, and numbers of one input that are read. */
const MAX_INPUTS = 16;
const MAX_VALUES = 65_536;
const MAX_INT16 = 32_767;
/** Up to so many values each value goes into every number of the sketch; beyond, into one of them. */
const DENSE_VALUES = 64;
const MAX_LABEL = 65_535;

export interface NumericColumns {
  /** Inputs in the request. */
  readonly numeric_inputs: number;
  /** Sketches of the first inputs, one after the other. */
  readonly numeric: readonly number[];
  /** What the model called each of them: place of its largest output, or its only output; as many as sketches, or none. */
  readonly numeric_classes: readonly number[];
}

export const NO_NUMBERS: NumericColumns = { numeric_inputs: 0, numeric: [], numeric_classes: [] };

/**
 * Random projection (Johnson and Lindenstrauss; Achlioptas 2003 for signs; Weinberger et al. 2009 for hashing long
 * inputs) of asinh of the values, which keeps the small as they are and large magnitudes in bounds. Signs come from
 * `seed`, so that a sketch can't be undone without the secret. Total: any request gives columns.
 *
 * @param outputs the answer's numbers as `body.ts` words them: separated by commas, or "".
 */
export function numericOf(request: unknown, outputs: string, seed: number): NumericColumns {
  const tensor = tensorOf(request);
  if (tensor === null) return NO_NUMBERS;
  const { values, inputs, width } = tensor;
  const kept = Math.min(inputs, MAX_INPUTS);
  const numeric: number[] = [];
  for (let at = 0; at < kept; at += 1) {
    for (const value of sketchOf(values.slice(at * width, (at + 1) * width), seed)) numeric.push(value);
  }
  return {
    numeric_inputs: Math.min(inputs, 2 ** 32 - 1),
    numeric,
    numeric_classes: classesOf(outputs, inputs).slice(0, kept),
  };
}

interface Tensor {
  readonly values: readonly number[];
  readonly inputs: number;
  readonly width: number;
}

/** The first input of numbers. The first dimension counts inputs where there are several dimensions. */
function tensorOf(request: unknown): Tensor | null {
  const inputs = fieldOf(request, "inputs");
  if (!Array.isArray(inputs)) return null;
  for (const input of inputs.slice(0, 8)) {
    const data = fieldOf(input, "data");
    if (!Array.isArray(data) || data.length === 0) continue;
    const flat: unknown[] = Array.isArray(data[0]) ? data.flat(4) : data;
    if (typeof flat[0] !== "number") continue;
    const shape = fieldOf(input, "shape");
    const declared = Array.isArray(shape) && shape.length > 1 ? Number(shape[0]) : 1;
    const count = Number.isInteger(declared) && declared > 0 && flat.length % declared === 0 ? declared : 1;
    const width = Math.min(flat.length / count, MAX_VALUES);
    return { values: flat.map(finite), inputs: count, width };
  }
  return null;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function finite(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function sketchOf(values: readonly number[], seed: number): Int16Array {
  const sums = new Float64Array(NUMERIC_DIMENSIONS);
  const dense = values.length <= DENSE_VALUES;
  values.forEach((value, place) => {
    if (value === 0) return;
    const size = Math.asinh(value);
    const h = mixed(place, seed);
    if (dense) {
      for (let at = 0; at < NUMERIC_DIMENSIONS; at += 1)
        sums[at] = (sums[at] ?? 0) + ((h >>> at) & 1 ? size : -size);
    } else {
      const at = (h >>> 8) % NUMERIC_DIMENSIONS;
      sums[at] = (sums[at] ?? 0) + (h & 1 ? size : -size);
    }
  });
  const scale = NUMERIC_STEPS / (dense ? Math.sqrt(NUMERIC_DIMENSIONS) : 1);
  return Int16Array.from(sums, (sum) => Math.max(-MAX_INT16, Math.min(MAX_INT16, Math.round(sum * scale))));
}

function mixed(place: number, seed: number): number {
  let h = Math.imul(place + 1, 0x9e3779b1) ^ seed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One output an input: the output itself; several: the place of the largest. */
function classesOf(outputs: string, inputs: number): number[] {
  const numbers = outputs === "" ? [] : outputs.split(",").map(Number);
  if (numbers.length < inputs || numbers.some(Number.isNaN)) return [];
  const width = Math.floor(numbers.length / inputs);
  return Array.from({ length: inputs }, (_, at) => {
    const own = numbers.slice(at * width, (at + 1) * width);
    const label = width === 1 ? Math.round(own[0] ?? 0) : own.indexOf(Math.max(...own));
    return Math.max(0, Math.min(MAX_LABEL, label));
  });
}
