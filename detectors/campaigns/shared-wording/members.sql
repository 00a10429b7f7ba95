-- Who uses the claimed wordings privately: nearly all it sends under one is asked at one sitting only.
WITH asked AS
(
    SELECT
        any(account) AS owner,
        if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
        min(time) AS first,
        [any(affixes[1]), any(affixes[2]), any(affixes[3]), any(affixes[4])] AS wordings
    FROM exchange_features
    WHERE served AND NOT continued
      AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY cityHash64(account, input)
)
SELECT
    toString(wording) AS affix,
    owner AS account,
    toUInt32(countIf(askings = 1)) AS inputs,
    toUInt32(uniqExactIf(toStartOfHour(first), askings = 1)) AS hours,
    toFloat64(toUnixTimestamp64Milli(minIf(first, askings = 1))) AS sinceMs
FROM asked
ARRAY JOIN wordings AS wording
WHERE wording IN {affixes:Array(UInt64)}
GROUP BY wording, owner
HAVING inputs >= 2 AND inputs >= {minOwnPrivateShare:Float64} * sum(askings)
ORDER BY affix, account
