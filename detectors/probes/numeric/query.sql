-- The newest numeric inputs of every account that sent many to one model: their sketches and the classes they got, in
-- order of time.
WITH
    sent AS
    (
        SELECT account, model, endpoint, time, exchange, numeric, numeric_classes
        FROM exchange_features
        WHERE served AND notEmpty(numeric)
          AND time >= fromUnixTimestamp64Milli({fromMs:Int64})
          AND time < fromUnixTimestamp64Milli({nowMs:Int64})
        ORDER BY account, model, endpoint, time DESC, exchange DESC
        LIMIT {maxInputs:UInt32} BY account, model, endpoint
    )
SELECT
    account,
    -- The Open Inference Protocol names the model in the path.
    concat(model, ' ', endpoint) AS target,
    arraySort(groupArray((toUnixTimestamp64Milli(time), exchange, numeric, numeric_classes))) AS requests,
    arrayMap(request -> toFloat64(request.1), requests) AS timesMs,
    arrayMap(request -> request.2, requests) AS exchanges,
    arrayMap(request -> request.3, requests) AS sketches,
    arrayMap(request -> request.4, requests) AS classes
FROM sent
GROUP BY account, target
HAVING sum(length(numeric)) >= {minInputs:UInt32} * {dimensions:UInt32}
ORDER BY account, target
