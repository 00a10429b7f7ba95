-- Who began with the wordings of a claim lately: accounts of which nearly all is private under one, as for members. A
-- wording whose inputs recur by now is everybody's, and nobody is told by it.
WITH
    asked AS
    (
        SELECT
            account,
            input,
            if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
            any(affixes) AS wordings
        FROM exchange_features
        WHERE served AND NOT continued
          AND time >= fromUnixTimestamp64Milli({nowMs:Int64}) - toIntervalHour({joinHours:UInt32})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
          AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
        GROUP BY account, input
    ),
    users AS
    (
        SELECT wording, account, countIf(askings = 1) AS inputs, sum(askings) AS uses
        FROM asked
        ARRAY JOIN wordings AS wording
        WHERE wording IN {affixes:Array(UInt64)}
        GROUP BY wording, account
    )
SELECT
    toString(wording) AS affix,
    arraySort(groupArrayIf(account, inputs >= 2 AND inputs >= {minOwnPrivateShare:Float64} * uses)) AS accounts
FROM users
GROUP BY wording
HAVING sum(inputs) >= {minPrivateShare:Float64} * sum(uses)
ORDER BY affix
