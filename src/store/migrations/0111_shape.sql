-- What a text looks like beside its words: length, marks, figures, lines.
ALTER TABLE exchange_features ADD COLUMN IF NOT EXISTS shape Array(Int8) DEFAULT [];
