// A finding's graph: its accounts as lanes over time, and the facts that link them, as keyed hashes.
import { z } from "zod";
import { count, time } from "./common.ts";

/** Lanes that a person can tell apart; a larger finding is drawn by its busiest accounts. */
export const GRAPH_LANES_MAX = 60;
/** Facts that a person can tell apart: one letter each, A to H. */
export const GRAPH_FACTS_MAX = 8;
/** Buckets of time across; the store's times span less than this many of the longest bucket. */
export const GRAPH_BUCKETS_MAX = 500;

export type GraphFactKind =
  | "payment"
  | "organization"
  | "domain"
  | "network"
  | "client"
  | "system"
  | "wording";
export const GRAPH_FACT_KINDS: readonly GraphFactKind[] = [
  "payment",
  "organization",
  "domain",
  "network",
  "client",
  "system",
  "wording",
];

/** In the bucket of this number, counted from the first, so many exchanges. */
export type GraphMark = [bucket: number, exchanges: number];

export interface GraphLane {
  account: string;
  exchanges: number;
  firstAt: string;
  lastAt: string;
  marks: GraphMark[];
}

export interface GraphFact {
  kind: GraphFactKind;
  /** Keyed hash, in decimal as detectors print it; what it stands for is not in the store. */
  hash: string;
  /** Further facts of this kind that the same accounts share, such as the other hashes of one template. */
  alike: number;
  /** How many accounts of the finding have it, and how many others. */
  members: number;
  others: number;
  /** Numbers of the lanes that have it. */
  lanes: number[];
}

export interface FindingGraph {
  /** When the first bucket begins. */
  from: string;
  bucketSeconds: number;
  buckets: number;
  /** When it was first raised; `raisedAt` of the finding itself moves when its accounts change. */
  raisedAt: string;
  /** How many accounts the finding names; of how many of them the store has exchanges. */
  accounts: number;
  active: number;
  /** In order of their first exchange. */
  lanes: GraphLane[];
  /** Those that set the finding's accounts apart most come first. */
  facts: GraphFact[];
}

const bucket = z.number().int().min(0).max(GRAPH_BUCKETS_MAX);
const lane = z.number().int().min(0).max(GRAPH_LANES_MAX);
const mark: z.ZodType<GraphMark> = z.tuple([bucket, count]);
export const findingGraph: z.ZodType<FindingGraph> = z.object({
  from: time,
  bucketSeconds: count,
  buckets: bucket,
  raisedAt: time,
  accounts: count,
  active: count,
  lanes: z
    .array(
      z.object({
        account: z.string(),
        exchanges: count,
        firstAt: time,
        lastAt: time,
        marks: z.array(mark).max(GRAPH_BUCKETS_MAX),
      }),
    )
    .max(GRAPH_LANES_MAX),
  facts: z
    .array(
      z.object({
        kind: z.enum(GRAPH_FACT_KINDS),
        hash: z.string().regex(/^\d{1,20}$/),
        alike: count,
        members: count,
        others: count,
        lanes: z.array(lane).max(GRAPH_LANES_MAX),
      }),
    )
    .max(GRAPH_FACTS_MAX),
});
