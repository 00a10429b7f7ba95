-- What probes leave: keys that nearly equal texts share, blanks with their surroundings, prose that breaks off, the
-- values of token biases, and sketches of numeric inputs with the classes they got.
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS near Array(UInt32) DEFAULT [];
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS asked_words UInt16 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS blanks Array(UInt64) DEFAULT [];
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS recall UInt8 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS bias_values UInt64 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS numeric_inputs UInt32 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS numeric Array(Int16) DEFAULT [];
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS numeric_classes Array(UInt16) DEFAULT [];
