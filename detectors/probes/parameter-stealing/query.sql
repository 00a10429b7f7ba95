-- For every prompt prefix that was asked with token biases: which accounts asked, under how many different sets of
-- biased tokens, and how many different tokens' scores that revealed.
WITH
    probes AS
    (
        SELECT conversation, account, exchange, time, model, top_logprobs, bias_tokens, cityHash64(bias_tokens) AS bias
        FROM exchange_features
        WHERE served AND bias_count > 0
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    prefixes AS
    (
        SELECT
            conversation,
            uniqExact(bias) AS sets,
            uniqExactArray(bias_tokens) AS tokens,
            sum(length(bias_tokens)) AS biased,
            max(top_logprobs) AS top,
            any(model) AS model
        FROM probes
        GROUP BY conversation
    )
SELECT
    toString(conversation) AS prefix,
    any(prefixes.model) AS model,
    toUInt32(any(prefixes.sets)) AS sets,
    toUInt32(any(prefixes.tokens)) AS tokens,
    toUInt32(any(prefixes.biased)) AS biased,
    toUInt32(any(prefixes.top)) AS top,
    account,
    toUInt32(count()) AS queries,
    toUInt32(uniqExact(bias)) AS ownSets,
    toFloat64(toUnixTimestamp64Milli(min(time))) AS sinceMs,
    arraySlice(groupArray(3)(exchange), 1, 3) AS exemplars
FROM probes
INNER JOIN prefixes USING (conversation)
GROUP BY conversation, account
ORDER BY prefix, account
