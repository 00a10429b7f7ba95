// An embedding model of the operator's own (ONNX) in place of the count sketch: loaded by path, needed by nothing.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Tokenizer } from "@huggingface/tokenizers";
import type { InferenceSession, Tensor } from "onnxruntime-web";
import { DetectError } from "../errors.ts";
import { avalanche, EMBEDDING_DIMENSIONS, EMBEDDING_LENGTH } from "./embedding.ts";
import { type FeatureKeys, KeyedHash } from "./keyed-hash.ts";

/** Tokens of a text that the model reads. */
const MAX_TOKENS = 256;
/** Where models of the common repositories lie in their folder. */
const MODEL_FILES = ["model.onnx", "onnx/model.onnx"] as const;
/** What the model may ask for, each int64 [1, tokens]. */
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"] as const;
const SENTENCE_OUTPUT = "sentence_embedding";

type Runtime = typeof import("onnxruntime-web");

/**
 * A sentence model. Its vectors are projected to the dimensions of the count sketch by signs that only the installation
 * knows (Achlioptas 2003), so that nothing stored can be tested against a guessed text.
 */
export class EmbeddingModel {
  /** 1 to 255: tells, with chance, which model made a row. */
  readonly mark: number;
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #seed: number;

  private constructor(parts: {
    mark: number;
    runtime: Runtime;
    session: InferenceSession;
    tokenizer: Tokenizer;
    seed: number;
  }) {
    this.mark = parts.mark;
    this.#runtime = parts.runtime;
    this.#session = parts.session;
    this.#tokenizer = parts.tokenizer;
    this.#seed = parts.seed;
  }

  /**
   * @param folder holds `model.onnx` or `onnx/model.onnx`, `tokenizer.json`, and mostly `tokenizer_config.json`
   * @throws DetectError embedding-runtime-missing, embedding-model-invalid
   */
  static async open(folder: string, keys: FeatureKeys): Promise<EmbeddingModel> {
    const { runtime, tokenizers } = await packages();
    const model = await bytesOf(folder, await modelFile(folder));
    const tokens = await bytesOf(folder, "tokenizer.json");
    try {
      runtime.env.wasm.numThreads = 1;
      runtime.env.logLevel = "error";
      const settings = await readFile(join(folder, "tokenizer_config.json"), "utf8").catch(() => "{}");
      const opened = new EmbeddingModel({
        mark: markOf(model, tokens),
        runtime,
        session: await runtime.InferenceSession.create(model, { executionProviders: ["wasm"] }),
        tokenizer: new tokenizers.Tokenizer(
          JSON.parse(new TextDecoder().decode(tokens)),
          JSON.parse(settings),
        ),
        seed: new KeyedHash(keys).wordSeed,
      });
      await opened.embed("a first text");
      return opened;
    } catch (cause) {
      throw new DetectError(
        "embedding-model-invalid",
        `the model in ${folder} can't be used: ${String(cause)}`,
        {
          cause,
        },
      );
    }
  }

  /**
   * Of length 100, in whole numbers; zero for a text of no tokens. Rejects where the model fails.
   * @returns `EMBEDDING_DIMENSIONS` numbers from -100 to 100
   */
  async embed(text: string): Promise<number[]> {
    const ids = cut(this.#tokenizer.encode(text).ids);
    if (text.trim() === "" || ids.length === 0) return new Array<number>(EMBEDDING_DIMENSIONS).fill(0);
    const outputs = await this.#session.run(this.#feedsOf(ids));
    return projected(pooled(outputs), this.#seed);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #feedsOf(ids: readonly number[]): Record<string, Tensor> {
    const row = (value: (id: number) => number): Tensor =>
      new this.#runtime.Tensor(
        "int64",
        BigInt64Array.from(ids, (id) => BigInt(value(id))),
        [1, ids.length],
      );
    const all = { input_ids: row((id) => id), attention_mask: row(() => 1), token_type_ids: row(() => 0) };
    return Object.fromEntries(
      this.#session.inputNames.map((name) => {
        const input = INPUTS.find((known) => known === name);
        if (input === undefined)
          throw new TypeError(`expected inputs among ${INPUTS.join(", ")}, got ${name}`);
        return [name, all[input]];
      }),
    );
  }
}

async function packages(): Promise<{
  readonly runtime: Runtime;
  readonly tokenizers: typeof import("@huggingface/tokenizers");
}> {
  try {
    return {
      runtime: await import("onnxruntime-web"),
      tokenizers: await import("@huggingface/tokenizers"),
    };
  } catch (cause) {
    throw new DetectError(
      "embedding-runtime-missing",
      "expected the packages that run an embedding model: npm install onnxruntime-web @huggingface/tokenizers",
      { cause },
    );
  }
}

async function modelFile(folder: string): Promise<string> {
  for (const name of MODEL_FILES) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found?.isFile() === true) return name;
  }
  return MODEL_FILES[0];
}

async function bytesOf(folder: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(folder, name));
  } catch (cause) {
    throw new DetectError(
      "embedding-model-invalid",
      `expected ${name} in the folder of detect.embeddingModel, ${folder}`,
      { cause },
    );
  }
}

function markOf(...files: readonly Uint8Array[]): number {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file);
  return 1 + (hash.digest().readUInt32BE() % 255);
}

/** The last token mostly ends the text and is kept. */
function cut(ids: readonly number[]): readonly number[] {
  return ids.length <= MAX_TOKENS ? ids : [...ids.slice(0, MAX_TOKENS - 1), ids.at(-1) ?? 0];
}

/** The sentence's vector where the model gives one, or the mean of its tokens'. */
function pooled(outputs: InferenceSession.ReturnType): Float64Array {
  const output = outputs[SENTENCE_OUTPUT] ?? Object.values(outputs)[0];
  const width = output?.dims.at(-1) ?? 0;
  const data = output?.data;
  if (!(data instanceof Float32Array) || width === 0 || data.length === 0 || output?.dims[0] !== 1)
    throw new TypeError(
      `expected a first output of floats, [1, tokens, width] or [1, width], got ${output?.type} [${output?.dims.join(", ")}]`,
    );
  const mean = new Float64Array(width);
  data.forEach((value, at) => {
    mean[at % width] = (mean[at % width] as number) + (value * width) / data.length;
  });
  return mean;
}

function projected(vector: Float64Array, seed: number): number[] {
  const sums = new Float64Array(EMBEDDING_DIMENSIONS);
  vector.forEach((value, at) => {
    for (let d = 0; d < EMBEDDING_DIMENSIONS; d += 1) {
      const sign = avalanche(seed ^ Math.imul(at * EMBEDDING_DIMENSIONS + d + 1, 0x9e3779b1)) < 0 ? -1 : 1;
      sums[d] = (sums[d] as number) + sign * value;
    }
  });
  const length = Math.hypot(...sums);
  if (!Number.isFinite(length)) throw new RangeError("expected finite numbers of the model");
  const scale = length === 0 ? 0 : EMBEDDING_LENGTH / length;
  return Array.from(sums, (value) => Math.round(value * scale) + 0);
}
