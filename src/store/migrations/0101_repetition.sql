-- How often one word stands in a row, in what was asked and in what was answered: what divergence probes leave.
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS asked_run UInt16 DEFAULT 0;
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS answered_run UInt16 DEFAULT 0;
