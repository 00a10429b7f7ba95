-- For accounts with many groups of nearly equal inputs, each asked within a day and none later: these inputs in order,
-- with the keys that make them a group.
WITH
    -- Only who has enough inputs, and some of them like others, is looked at closely.
    candidates AS
    (
        SELECT account
        FROM exchange_features
        WHERE served AND NOT continued AND notEmpty(near)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account
        HAVING uniqCombined(input) >= {minInputs:UInt32}
           AND uniqCombined(input) >= {minLikeness:Float64} * uniqCombined(near[1])
    ),
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
        WHERE served AND NOT continued AND notEmpty(near) AND account IN (SELECT account FROM candidates)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    ),
    groups AS
    (
        SELECT account, key, count() AS versions
        FROM asked
        ARRAY JOIN keys AS key
        GROUP BY account, key
        HAVING versions >= {minRobust:UInt32} AND versions <= {maxVersions:UInt32}
           AND dateDiff('hour', min(first), max(last)) < {sittingHours:UInt32}
           AND min(first) <= fromUnixTimestamp64Milli({nowMs:Int64}) - toIntervalHour({sittingHours:UInt32})
    ),
    suspects AS
    (
        SELECT account
        FROM groups
        WHERE 2 * versions >= {minVersions:UInt32} -- one key is shared by a part of the versions
        GROUP BY account
        HAVING count() >= {minGroups:UInt32}
    )
SELECT
    account,
    toString(input) AS input,
    toFloat64(toUnixTimestamp64Milli(any(first))) AS firstMs,
    groupArray(key) AS keys,
    any(sketch) AS sketch,
    any(exemplar) AS exemplar,
    toUInt32(any(scored)) AS scored,
    toUInt32((SELECT uniqExact(account) FROM groups)) AS able
FROM
(
    SELECT account, input, first, key, sketch, exemplar, scored
    FROM asked
    ARRAY JOIN keys AS key
    WHERE account IN (SELECT account FROM suspects)
) AS version
INNER JOIN groups USING (account, key)
GROUP BY account, input
ORDER BY account, firstMs, input
LIMIT {maxInputs:UInt32} BY account
