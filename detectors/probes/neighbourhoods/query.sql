-- Accounts with groups of nearly equal inputs, each asked within a day and none later: how many groups, and how many of
-- them are large enough. Most accounts have none; what the few asked is read by the follow-up.
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
        SELECT account, input, min(time) AS first, max(time) AS last, any(near) AS keys
        FROM exchange_features
        WHERE served AND NOT continued AND notEmpty(near) AND account IN candidates
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY account, input
    )
SELECT
    account,
    toUInt32(count()) AS groups,
    toUInt32(countIf(2 * versions >= {minVersions:UInt32})) AS large, -- one key is shared by a part of the versions
    toUInt32(uniqExact(toStartOfHour(begun))) AS hours
FROM
(
    SELECT account, key, count() AS versions, min(first) AS begun
    FROM asked
    ARRAY JOIN keys AS key
    GROUP BY account, key
    HAVING versions >= {minRobust:UInt32} AND versions <= {maxVersions:UInt32}
       AND dateDiff('hour', begun, max(last)) < {sittingHours:UInt32}
       AND begun <= fromUnixTimestamp64Milli({nowMs:Int64}) - toIntervalHour({sittingHours:UInt32})
)
GROUP BY account
ORDER BY account
