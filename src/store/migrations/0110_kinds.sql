-- What kind of request it is: capabilities asked for, script and language, what the system prompt nearly is, which
-- conversation it goes on, and where client and prompt contradict each other.
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS capabilities UInt16 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS script LowCardinality(String) DEFAULT '';
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS language LowCardinality(String) DEFAULT '';
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS system_near Array(UInt32) DEFAULT [];
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS prefix UInt64 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS relay UInt8 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS home UInt64 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS output_ratio Float32 ALIAS completion_tokens / greatest(prompt_tokens, 1);
