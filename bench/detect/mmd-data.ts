// The prompt sets of the kernel test's protocol: what honest people and products ask, and what extraction asks for.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { DATA } from "./worlds.ts";

/** Prompts that belong together (one conversation, one programmer): splits keep them whole where asked to. */
export type Group = readonly string[];

export interface AttackSet {
  readonly name: string;
  readonly prompts: readonly string[];
}

const row = z.object({
  prompt: z.string().optional(),
  context: z.string().optional(),
  group: z.string().optional(),
  completion: z.string().optional(),
  input: z.string().optional(),
  turns: z.array(z.object({ role: z.string(), content: z.string().nullish() })).optional(),
});
type Row = z.infer<typeof row>;

/** Requests of honest users, by role in the catalogue: people's conversations, programmers, fixed prompts of products. */
const HONEST = ["sharegpt", "role-prompts", "programmers", "app-templates", "sql", "banking"] as const;
/** One product's set would be most of the pool; so many of its rows are taken. */
const MOST_OF_ONE_SET = 4_000;
/** Prompts that the generator of seed expansions makes. */
const EXPANSIONS = 3_000;

/** Honest groups without repeated prompts. */
export async function honestGroups(random: () => number): Promise<readonly Group[]> {
  const seen = new Set<string>();
  const groups: Group[] = [];
  for (const name of HONEST) {
    const rows = shuffled(await rowsOf(name), random).slice(0, MOST_OF_ONE_SET);
    for (const one of rows) {
      const fresh = promptsOf(one).filter((prompt) => prompt !== "" && !seen.has(prompt));
      for (const prompt of fresh) seen.add(prompt);
      if (fresh.length > 0) groups.push(fresh);
    }
  }
  return groups;
}

/** Sets whose prompts published extractions send, or that are built like those. */
export async function attackSets(random: () => number): Promise<readonly AttackSet[]> {
  const whole = async (name: string): Promise<AttackSet> => setOf(name, await rowsOf(name));
  const part = async (name: string, group: string): Promise<AttackSet> =>
    setOf(
      `${name}: ${group}`,
      (await rowsOf(name)).filter((one) => one.group === group),
    );
  const sets = [
    ...(await Promise.all(["gsm8k-train", "gsm8k-test"].map(whole))),
    ...(await Promise.all(["svamp", "asdiv", "mawps"].map((group) => part("maths", group)))),
    ...(await Promise.all(
      ["code-instructions", "tool-instructions", "role-play", "cloze", "functions", "jailbreaks"].map(whole),
    )),
    ...(await Promise.all(["en", "es", "de"].map((group) => part("passages", group)))),
    await whole("passages"),
    await expansions(random),
  ];
  return sets;
}

function setOf(name: string, rows: readonly Row[]): AttackSet {
  return { name, prompts: [...new Set(rows.flatMap(promptsOf))].filter((prompt) => prompt !== "") };
}

function promptsOf({ turns, prompt, context }: Row): string[] {
  if (turns !== undefined)
    return turns.filter((turn) => turn.role === "user").map((turn) => turn.content ?? "");
  return [context === undefined ? (prompt ?? "") : `${context}\n\n${prompt ?? ""}`];
}

/** Self-Instruct's prompt around three seed tasks each (Wang et al. 2023). */
async function expansions(random: () => number): Promise<AttackSet> {
  const seeds = await rowsOf("seed-tasks");
  const meta = (await rowsOf("meta-prompts")).filter((one) => one.group === "expansion");
  const prompts = Array.from({ length: EXPANSIONS }, () => {
    const shown = shuffled(seeds, random)
      .slice(0, 3)
      .map(
        (seed, at) =>
          `###\n${at + 1}. Instruction: ${seed.prompt ?? ""}\n${at + 1}. Input:\n${seed.input ?? "<noinput>"}\n${at + 1}. Output:\n${(seed.completion ?? "").slice(0, 600)}`,
      );
    const prompt = meta[Math.floor(random() * meta.length)]?.prompt ?? "";
    return prompt.replace("{{seeds}}", () => `${shown.join("\n")}\n###\n4. Instruction:`);
  });
  return { name: "seed expansion", prompts };
}

async function rowsOf(name: string): Promise<Row[]> {
  const text = gunzipSync(await readFile(join(DATA, `${name}.jsonl.gz`))).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => row.parse(JSON.parse(line)));
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}
