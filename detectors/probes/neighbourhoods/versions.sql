-- Of accounts with many large groups of nearly equal inputs: these inputs in order, with the keys that make them a group.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            min(time) AS first,
            max(time) AS last,
            any(near) AS keys,
            any(embedding) AS sketch,
            min(exchange) AS exemplar,
            max(top_logprobs > 0) AS scored
        FROM exchange_features
        WHERE served AND NOT continued AND notEmpty(near) AND account IN {accounts:Array(String)}
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    versions AS
    (
        SELECT account, input, first, last, key, sketch, exemplar, scored
        FROM asked
        ARRAY JOIN keys AS key
    ),
    groups AS
    (
        SELECT account, key
        FROM versions
        GROUP BY account, key
        HAVING count() >= {minRobust:UInt32} AND count() <= {maxVersions:UInt32}
           AND dateDiff('hour', min(first), max(last)) < {sittingHours:UInt32}
           AND min(first) <= fromUnixTimestamp64Milli({nowMs:Int64}) - toIntervalHour({sittingHours:UInt32})
    )
SELECT
    account,
    toString(input) AS input,
    toFloat64(toUnixTimestamp64Milli(any(first))) AS firstMs,
    groupArray(key) AS keys,
    any(sketch) AS sketch,
    any(exemplar) AS exemplar,
    toUInt32(any(scored)) AS scored
FROM versions
INNER JOIN groups USING (account, key)
GROUP BY account, input
ORDER BY account, firstMs, input
LIMIT {maxInputs:UInt32} BY account
