-- How many accounts asked as many questions with short answers as the signature needs: what its error bound stands on.
SELECT toUInt32(count()) AS able
FROM
(
    SELECT account
    FROM exchange_features
    WHERE served AND NOT continued AND completion_tokens <= {maxAnswerTokens:Float64}
      AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
      AND time < fromUnixTimestamp64Milli({nowMs:Int64})
    GROUP BY account
    HAVING uniqHLL12(input) >= {minOwnPassages:UInt32}
)
