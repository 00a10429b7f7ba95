-- A part of the users (by the hashes of their names) of the wordings that the counts made suspect: how often each sent
-- one, and what it asked under it, as sums of vectors of its private inputs. A wording is a part of its input, so that
-- any of an input's exchanges tells its wordings and its vector. Vectors are read of one exchange an input, in a second
-- pass: carried along while inputs are grouped, they take several times longer.
WITH
    asked AS
    (
        SELECT
            any(account) AS owner,
            if(dateDiff('minute', min(time), max(time)) < {onceMinutes:UInt32}, 1, count()) AS askings,
            min(time) AS first,
            max(time) AS last,
            min(leaf) AS exemplar,
            [any(affixes[1]), any(affixes[2]), any(affixes[3]), any(affixes[4])] AS wordings
        FROM exchange_features
        WHERE served AND NOT continued
          AND toUInt32(cityHash64(account)) IN {users:Array(UInt32)}
          AND arrayExists(affix -> affix IN {affixes:Array(UInt64)}, affixes)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY cityHash64(account, input)
    ),
    counts AS
    (
        SELECT
            wording,
            owner,
            cityHash64(owner) AS user,
            sum(askings) AS uses,
            countIf(askings = 1) AS inputs,
            minIf(first, askings = 1) AS since,
            max(last) AS until
        FROM asked
        ARRAY JOIN wordings AS wording
        WHERE wording IN {affixes:Array(UInt64)}
        GROUP BY wording, owner
    ),
    sums AS
    (
        SELECT
            wording,
            cityHash64(account) AS user,
            sumForEach(embedding) AS sum,
            sum(dotProduct(embedding, embedding)) AS squares
        FROM exchange_features
        ARRAY JOIN affixes AS wording
        WHERE wording IN {affixes:Array(UInt64)}
          AND leaf IN (SELECT exemplar FROM asked WHERE askings = 1)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        GROUP BY wording, user
    )
SELECT
    toString(counts.wording) AS affix,
    toUInt32(counts.user) AS user,
    counts.owner AS account,
    toUInt32(counts.uses) AS uses,
    toUInt32(counts.inputs) AS inputs,
    toFloat64(toUnixTimestamp64Milli(counts.since)) AS sinceMs,
    toFloat64(toUnixTimestamp64Milli(counts.until)) AS untilMs,
    arrayMap(x -> toFloat64(x), sums.sum) AS sum,
    toFloat64(sums.squares) AS squares
FROM counts
LEFT JOIN sums ON sums.wording = counts.wording AND sums.user = counts.user
ORDER BY affix, user
