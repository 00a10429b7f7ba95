// An operator's own embedding model: what it makes of texts, what is stored of them, and what unfit ones say.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EmbeddingModel } from "../../src/detect/features/embedding-model.ts";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { Store } from "../../src/store/store.ts";
import { smallWorld } from "../helpers/small-world.ts";
import { writeTinyModel } from "../helpers/tiny-model.ts";

const ADYTON: string = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));
const KEYS = { secret: new Uint8Array(32).fill(7) };
const OTHER_KEYS = { secret: new Uint8Array(32).fill(8) };

let root = "";
let folder = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "adyton-model-"));
  folder = join(root, "model");
  await writeTinyModel(folder);
});
after(() => rm(root, { recursive: true, force: true }));

async function embedded(texts: readonly string[], keys = KEYS): Promise<number[][]> {
  const model = await EmbeddingModel.open(folder, keys);
  const vectors = [];
  for (const text of texts) vectors.push(await model.embed(text));
  await model.close();
  return vectors;
}

function cosine(a: readonly number[] = [], b: readonly number[] = []): number {
  const dot = a.reduce((sum, value, d) => sum + value * (b[d] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

test("texts of one meaning lie close together, of others not", async () => {
  const [boat, ship, bread, mixed] = await embedded(["Boat boat", "ship vessel", "bread", "boat bread"]);
  assert.ok(cosine(boat, ship) > 0.8, `${cosine(boat, ship)}`);
  assert.ok(Math.abs(cosine(boat, bread)) < 0.5, `${cosine(boat, bread)}`);
  assert.ok(cosine(mixed, boat) > 0.4 && cosine(mixed, bread) > 0.4);
  assert.equal(boat?.length, 64);
  assert.ok(Math.abs(Math.hypot(...boat) - 100) < 5);
});

test("equal texts give equal numbers under one secret, and others under another; no text gives zero", async () => {
  const first = await embedded(["boat loaf", "", "  "]);
  assert.deepEqual(await embedded(["boat loaf", "", "  "]), first);
  const [other] = await embedded(["boat loaf"], OTHER_KEYS);
  assert.ok(Math.abs(cosine(first[0], other)) < 0.5);
  assert.deepEqual(first[1], new Array<number>(64).fill(0));
  assert.deepEqual(first[2], first[1]);
});

test("a text of any length is read, and one of foreign words has a vector", async () => {
  const [long, foreign] = await embedded(["boat ".repeat(5_000), "qwertz"]);
  assert.ok(Math.abs(Math.hypot(...(long ?? [])) - 100) < 5);
  assert.equal(foreign?.length, 64);
});

test("a repository's layout is found, and another model has another mark", async () => {
  const second = join(root, "second");
  await writeTinyModel(second, { file: "onnx/model.onnx", inputs: ["input_ids", "token_type_ids"] });
  const [one, two] = [await EmbeddingModel.open(folder, KEYS), await EmbeddingModel.open(second, KEYS)];
  assert.ok(one.mark >= 1 && one.mark <= 255 && two.mark >= 1 && two.mark <= 255);
  assert.notEqual(one.mark, two.mark);
  await one.close();
  await two.close();
});

test("what is no model, lacks a file or asks for other inputs is refused with what is missing", async () => {
  const empty = join(root, "empty");
  const broken = join(root, "broken");
  const images = join(root, "images");
  await writeTinyModel(broken);
  await writeFile(join(broken, "model.onnx"), "no model");
  await writeTinyModel(images, { inputs: ["pixel_values"] });
  for (const [where, says] of [
    [empty, /expected model\.onnx in the folder/],
    [broken, /can't be used/],
    [images, /input_ids, attention_mask, token_type_ids, got pixel_values/],
  ] as const)
    await assert.rejects(EmbeddingModel.open(where, KEYS), {
      code: "embedding-model-invalid",
      message: says,
    });
});

test("import and rebuild store the configured model's vectors, under a version that tells so", async () => {
  const adyton = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [ADYTON, ...args], { encoding: "utf8", cwd: root, timeout: 120_000 });
  await writeFile(join(root, "world.jsonl"), smallWorld({ exchanges: 40 }).exchanges.join("\n"));
  await writeFile(join(root, "with.yaml"), "detect:\n  embeddingModel: model\n");
  await writeFile(join(root, "without.yaml"), "detect:\n  embeddingModel: null\n");
  await writeFile(join(root, "wrong.yaml"), "detect:\n  embeddingModel: nowhere\n");
  const stored = async (): Promise<{ versions: number[]; zeros: number }> => {
    const store = await Store.open({ folder: join(root, "d", "store") });
    const [row] = await store.query<{ versions: number[]; zeros: number }>(
      "SELECT groupUniqArray(version) AS versions, toUInt32(countIf(length(embedding) != 64)) AS zeros FROM exchange_features",
    );
    await store.close();
    return row ?? { versions: [], zeros: -1 };
  };
  const model = await EmbeddingModel.open(folder, KEYS);
  const marked = FEATURE_VERSION + 256 * model.mark;
  await model.close();

  const done = adyton("import", "exchanges", "world.jsonl", "--data", "d", "--config", "with.yaml");
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(await stored(), { versions: [marked], zeros: 0 });
  assert.equal(adyton("store", "rebuild", "--data", "d", "--config", "without.yaml").status, 0);
  assert.deepEqual(await stored(), { versions: [FEATURE_VERSION], zeros: 0 });
  const status = adyton("store", "status", "--data", "d", "--config", "with.yaml").stdout;
  assert.match(status, /rows of other versions +40\n/);
  assert.match(status, /adyton store rebuild/);
  assert.equal(adyton("store", "rebuild", "--data", "d", "--config", "with.yaml").status, 0);
  assert.deepEqual(await stored(), { versions: [marked], zeros: 0 });
  const wrong = adyton("store", "rebuild", "--data", "d", "--config", "wrong.yaml");
  assert.notEqual(wrong.status, 0);
  assert.match(wrong.stderr, /embedding-model-invalid/);
});
