-- For every prompt prefix whose scores were read by token biases that changed, or by long lists of log-probabilities:
-- who asked, under how many different biases, and of how many tokens scores were revealed.
WITH
    probes AS
    (
        SELECT
            conversation,
            model,
            account,
            exchange,
            time,
            top_logprobs,
            bias_tokens,
            -- Rows of before values were kept are told apart by their tokens alone.
            if(bias_values = 0, cityHash64(bias_tokens), bias_values) AS bias
        FROM exchange_features
        WHERE served AND (bias_count > 0 OR top_logprobs >= {longList:UInt16})
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    ),
    prefixes AS
    (
        SELECT
            conversation,
            model,
            uniqExactIf(bias, notEmpty(bias_tokens)) AS sets,
            uniqExactArray(bias_tokens) AS tokens,
            sum(length(bias_tokens)) AS biased,
            max(top_logprobs) AS top,
            sum(least(length(bias_tokens), top_logprobs)) AS listed,
            countIf(top_logprobs = 0) AS compared
        FROM probes
        GROUP BY conversation, model
        HAVING sets > 1 OR top >= {longList:UInt16}
    )
SELECT
    toString(conversation) AS prefix,
    model,
    toUInt32(any(prefixes.sets)) AS sets,
    toUInt32(any(prefixes.tokens)) AS tokens,
    toUInt32(any(prefixes.biased)) AS biased,
    toUInt32(any(prefixes.top)) AS top,
    toUInt32(any(prefixes.listed)) AS listed,
    toUInt32(any(prefixes.compared)) AS compared,
    account,
    toUInt32(count()) AS queries,
    toUInt32(uniqExact(bias)) AS ownSets,
    toFloat64(toUnixTimestamp64Milli(min(time))) AS sinceMs,
    arraySort(groupArraySorted(3)(exchange)) AS exemplars,
    toUInt32((SELECT uniqExact(account) FROM probes)) AS users
FROM probes
INNER JOIN prefixes USING (conversation, model)
GROUP BY conversation, model, account
ORDER BY prefix, model, account
