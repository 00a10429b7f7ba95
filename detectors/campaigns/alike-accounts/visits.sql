-- When some accounts came, served or refused: their newest exchanges that are no follow-ups.
SELECT
    account,
    arrayMap(
        visit -> toFloat64(toUnixTimestamp64Milli(visit)),
        arraySlice(arraySort(groupArray(time)), -{maxVisits:Int64})
    ) AS visits
FROM exchange_features
WHERE NOT continued AND account IN {accounts:Array(String)}
  AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
  AND time < fromUnixTimestamp64Milli({nowMs:Int64})
GROUP BY account
ORDER BY account
SETTINGS optimize_aggregation_in_order = 1
