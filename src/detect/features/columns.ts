// The types of the feature tables' columns, for whoever writes rows out as bytes.
import type { ColumnType } from "../../store/encoded-rows.ts";
import type { AccountRow } from "./account-rows.ts";
import type { FeatureRow } from "./rows.ts";

/** By table and column, as the migrations make them. */
export const FEATURE_COLUMNS: {
  readonly exchange_features: Readonly<Record<keyof FeatureRow, ColumnType>>;
  readonly account_facts: Readonly<Record<keyof AccountRow, ColumnType>>;
} = {
  exchange_features: {
    exchange: "String",
    account: "String",
    time: "DateTime64(3, 'UTC')",
    version: "UInt16",
    endpoint: "String",
    model: "String",
    status: "UInt16",
    served: "UInt8",
    prompt_tokens: "UInt32",
    completion_tokens: "UInt32",
    prompt_chars: "UInt32",
    answer_chars: "UInt32",
    turns: "UInt16",
    continued: "UInt8",
    temperature: "Nullable(Float32)",
    max_tokens: "Nullable(Float64)",
    choices: "UInt16",
    top_logprobs: "UInt16",
    bias_count: "UInt16",
    bias_tokens: "Array(UInt32)",
    tools: "UInt16",
    parameters: "UInt64",
    system: "UInt64",
    affixes: "Array(UInt64)",
    skeleton: "UInt64",
    input: "UInt64",
    conversation: "UInt64",
    toolset: "UInt64",
    client: "UInt64",
    ip: "UInt64",
    network: "UInt64",
    asn: "UInt32",
    country: "String",
    embedding: "Array(Int8)",
    near: "Array(UInt32)",
    asked_words: "UInt16",
    blanks: "Array(UInt64)",
    recall: "UInt8",
    bias_values: "UInt64",
    numeric_inputs: "UInt32",
    numeric: "Array(Int16)",
    numeric_classes: "Array(UInt16)",
    asked_run: "UInt16",
    answered_run: "UInt16",
  },
  account_facts: {
    account: "String",
    created: "Nullable(DateTime64(3, 'UTC'))",
    plan: "String",
    payment: "UInt64",
    domain: "UInt64",
    organization: "UInt64",
  },
};
