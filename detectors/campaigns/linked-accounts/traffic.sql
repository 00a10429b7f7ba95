-- What the list workers of suspect clusters asked under the wording of their list: sums of vectors of its inputs.
-- `wordings` stands beside `accounts`.
SELECT
    account,
    toUInt32(count()) AS inputs,
    arrayMap(x -> toFloat64(x), sumForEach(vector)) AS sum,
    toFloat64(sum(arraySum(x -> x * x, vector))) AS squares,
    groupArraySorted(2)(id) AS exemplars
FROM
(
    SELECT account, input, arrayMap(x -> toInt32(x), any(embedding)) AS vector, any(exchange) AS id
    FROM exchange_features
    WHERE served AND NOT continued AND account IN {accounts:Array(String)}
      AND has(affixes, {wordings:Array(UInt64)}[indexOf({accounts:Array(String)}, account)])
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
)
GROUP BY account
ORDER BY account
