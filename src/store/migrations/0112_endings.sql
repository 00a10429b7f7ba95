-- How a text ends that breaks off: a template's end is always the same.
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS ending UInt64 DEFAULT 0;
