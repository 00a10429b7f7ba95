-- Of the accounts found: three exchanges that asked something once.
SELECT account, groupArraySorted(3)(id) AS exemplars
FROM
(
    SELECT account, any(exchange) AS id
    FROM exchange_features
    WHERE served AND NOT continued AND account IN {accounts:Array(String)}
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account, input
    HAVING count() = 1
)
GROUP BY account
