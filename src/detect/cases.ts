// A detector's cases: traffic described in a few lines, and what the detector must say about it.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Detector } from "./catalog.ts";
import { DetectError } from "./errors.ts";

/** One stretch of like traffic. Names stand for keyed hashes: equal names, equal hashes. */
export interface Traffic {
  /** Accounts named `<prefix>-1` … `<prefix>-<count>`. */
  readonly accounts: string;
  readonly count: number;
  /** Exchanges of each account; with `uneven`, of the first one: each next one sends half as many. */
  readonly exchanges: number;
  readonly uneven: boolean;
  /** Hour of the first exchange after the case's beginning, and minutes between two of one account. */
  readonly fromHour: number;
  readonly everyMinutes: number;
  /** `steady`; `own`: each account at irregular times of its own; `turns`: one after the other in irregular rounds. */
  readonly pace: "steady" | "own" | "turns";
  /** `new`: every input is different; a number: each account cycles through that many inputs common to all. */
  readonly inputs: "new" | number;
  readonly wording: string;
  /** Of the system prompt; empty: none. */
  readonly system: string;
  /** Words that inputs are drawn from: topics. `own`: each account has its own; `everything`: hardly a word twice. */
  readonly topic: string;
  readonly answerTokens: number;
  /** Longest prompt over shortest, above 1: inputs of all lengths between. */
  readonly lengths: number;
  /** Longest run of one word in each answer. */
  readonly answerRun: number;
  /** Biased tokens of each request: none, the same set each time, or the next so many new ones. */
  readonly bias: { readonly kind: "none" | "fixed" | "rotating" | "bisecting"; readonly tokens: number };
  /** Log-probabilities an answer; 5 with token biases where nothing is said. */
  readonly logprobs: number | null;
  /** Answers a request, and its temperature. */
  readonly samples: number;
  readonly temperature: number | null;
  /**
   * What is left open: nothing; a blank in each input; a blank that the wording mentions; the end of each input, under
   * a request to go on; the end, without one; the end of the wording itself, under a request to go on.
   */
  readonly open: "nothing" | "blank" | "mention" | "end" | "end-unasked" | "end-of-wording";
  /** A capability that each message asks for, by its name in the features. */
  readonly asks: "nothing" | "trainingTasks";
  /** Words of an input; 0: twelve and those of the wording. */
  readonly words: number;
  /** So many inputs in a row are versions of one text: each of the same one, or each of the one before. */
  readonly versions: number;
  readonly edits: "star" | "chain";
  /** Numeric inputs: none; each its own; versions of one in groups; a walk in small steps; noise about one point. */
  readonly numbers: "none" | "own" | "versions" | "walk" | "rest";
  readonly endpoint: string;
  readonly payment: string;
}

export interface DetectorCase {
  readonly name: string;
  readonly about: string;
  readonly traffic: readonly Traffic[];
  /** Hours after the beginning at which the detector looks. */
  readonly lookAtHour: number;
  /** Prefixes of accounts (see `Traffic`) that must be found together, one entry a finding; empty: nothing may be found. */
  readonly expect: readonly string[];
}

const traffic: z.ZodType<Traffic> = z.strictObject({
  accounts: z.string().min(1),
  count: z.int().min(1).max(1000).default(1),
  exchanges: z.int().min(1).max(10_000),
  uneven: z.boolean().default(false),
  fromHour: z.number().min(0).default(0),
  everyMinutes: z.number().positive().default(60),
  pace: z.enum(["steady", "own", "turns"]).default("steady"),
  inputs: z.union([z.literal("new"), z.int().min(1)]).default("new"),
  wording: z.string().default(""),
  system: z.string().default(""),
  topic: z.string().default("common"),
  answerTokens: z.int().min(0).default(50),
  answerRun: z.int().min(0).max(65_535).default(1),
  lengths: z.number().min(1).max(1000).default(1),
  bias: z
    .strictObject({
      kind: z.enum(["none", "fixed", "rotating", "bisecting"]),
      tokens: z.int().min(1).max(100),
    })
    .default({ kind: "none", tokens: 1 }),
  logprobs: z.int().min(0).max(65_535).nullable().default(null),
  samples: z.int().min(1).max(1000).default(1),
  temperature: z.number().min(0).nullable().default(null),
  open: z.enum(["nothing", "blank", "mention", "end", "end-unasked", "end-of-wording"]).default("nothing"),
  asks: z.enum(["nothing", "trainingTasks"]).default("nothing"),
  words: z.int().min(0).max(10_000).default(0),
  versions: z.int().min(1).max(1000).default(1),
  edits: z.enum(["star", "chain"]).default("star"),
  numbers: z.enum(["none", "own", "versions", "walk", "rest"]).default("none"),
  endpoint: z.string().default("/v1/chat/completions"),
  payment: z.string().default(""),
});

const caseFile: z.ZodType<Omit<DetectorCase, "name">> = z.strictObject({
  about: z.string().min(10),
  lookAtHour: z.number().positive(),
  traffic: z.array(traffic).min(1),
  expect: z.array(z.string()),
});

/** @throws DetectError detector-invalid */
export async function loadCases(detector: Detector): Promise<readonly DetectorCase[]> {
  const folder = join(detector.folder, "cases");
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(
    names.map(async (name) => {
      const parsed = caseFile.safeParse(parse(await readFile(join(folder, name), "utf8")));
      if (!parsed.success) {
        throw new DetectError("detector-invalid", `${join(folder, name)}: ${z.prettifyError(parsed.error)}`);
      }
      return { name: name.replace(/\.yaml$/, ""), ...parsed.data };
    }),
  );
}
