// A sentence model small enough to be written by hand: a table of vectors by word, in ONNX's protobuf, with its tokenizer.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const WIDTH = 8;
/** Words that mean the same have like vectors: the first is the meaning. */
const MEANINGS: readonly (readonly string[])[] = [
  ["boat", "ship", "vessel"],
  ["bread", "loaf", "toast"],
  ["sum", "total", "addition"],
];
const FLOAT = 1;
const INT64 = 7;

export interface TinyModelOptions {
  /** Names of the model's inputs; the first is looked up in the table. */
  readonly inputs?: readonly string[];
  /** Where the model lies. */
  readonly file?: string;
}

/** Writes the model and its tokenizer into a folder. */
export async function writeTinyModel(
  folder: string,
  { inputs = ["input_ids", "attention_mask"], file = "model.onnx" }: TinyModelOptions = {},
): Promise<void> {
  await mkdir(join(folder, "onnx"), { recursive: true });
  const words = ["[UNK]", ...MEANINGS.flat()];
  const vectors = words.flatMap((word) => vectorOf(word));
  await writeFile(join(folder, file), modelOf(words.length, vectors, inputs));
  const vocab = Object.fromEntries(words.map((word, index) => [word, index]));
  const tokenizer = {
    ...{ version: "1.0", added_tokens: [], post_processor: null, decoder: null },
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "WhitespaceSplit" },
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab },
  };
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
}

function vectorOf(word: string): number[] {
  const meaning = MEANINGS.findIndex((words) => words.includes(word));
  const place = MEANINGS[meaning]?.indexOf(word) ?? 0;
  return Array.from({ length: WIDTH }, (_, d) => (d === meaning ? 1 : d === 4 + place ? 0.2 : 0));
}

/** output[tokens] = table[input[tokens]] */
function modelOf(rows: number, vectors: readonly number[], inputs: readonly string[]): Uint8Array {
  const table = [
    ...[number(1, rows), number(1, WIDTH), number(2, FLOAT), text(8, "table")],
    bytes(9, new Uint8Array(Float32Array.from(vectors).buffer)),
  ];
  const node = [text(1, "table"), text(1, inputs[0] ?? ""), text(2, "last_hidden_state"), text(4, "Gather")];
  const graph = [
    message(1, node),
    text(2, "tiny"),
    message(5, table),
    ...inputs.map((name) => message(11, valueInfo(name, INT64, ["batch", "tokens"]))),
    message(12, valueInfo("last_hidden_state", FLOAT, ["batch", "tokens", WIDTH])),
  ];
  return joined([number(1, 8), message(7, graph), message(8, [text(1, ""), number(2, 13)])]);
}

function valueInfo(name: string, type: number, dims: readonly (string | number)[]): Uint8Array[] {
  const shape = dims.map((dim) => message(1, [typeof dim === "number" ? number(1, dim) : text(2, dim)]));
  return [text(1, name), message(2, [message(1, [number(1, type), message(2, shape)])])];
}

// Protobuf's wire format: a key of field and kind, then a varint, or a length and bytes.

function number(field: number, value: number): Uint8Array {
  return joined([varint(field << 3), varint(value)]);
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return joined([varint((field << 3) | 2), varint(value.length), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytes(field, joined(parts));
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) out.push((left & 127) | 128);
  return Uint8Array.from([...out, left]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
