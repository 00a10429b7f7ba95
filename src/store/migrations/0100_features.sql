-- Features of exchanges and facts of accounts: numbers and keyed hashes, never content. Derived from the log, leaf by leaf.
CREATE TABLE IF NOT EXISTS exchange_features
(
    leaf UInt64,
    exchange String,
    account String,
    time DateTime64(3, 'UTC'),
    version UInt16,
    endpoint LowCardinality(String),
    model LowCardinality(String),
    status UInt16,
    served UInt8,
    prompt_tokens UInt32,
    completion_tokens UInt32,
    prompt_chars UInt32,
    answer_chars UInt32,
    turns UInt16,
    continued UInt8,
    temperature Nullable(Float32),
    max_tokens Nullable(Float64),
    choices UInt16,
    top_logprobs UInt16,
    bias_count UInt16,
    bias_tokens Array(UInt32),
    tools UInt16,
    parameters UInt64,
    system UInt64,
    affixes Array(UInt64),
    skeleton UInt64,
    input UInt64,
    conversation UInt64,
    toolset UInt64,
    client UInt64,
    ip UInt64,
    network UInt64,
    asn UInt32,
    country LowCardinality(String),
    embedding Array(Int8)
)
ENGINE = MergeTree
ORDER BY (account, time);

-- The newest facts of an account win; an account that signed up again under the same name is the same account.
CREATE TABLE IF NOT EXISTS account_facts
(
    leaf UInt64,
    account String,
    created Nullable(DateTime64(3, 'UTC')),
    plan LowCardinality(String),
    payment UInt64,
    domain UInt64,
    organization UInt64
)
ENGINE = ReplacingMergeTree(leaf)
ORDER BY account;
