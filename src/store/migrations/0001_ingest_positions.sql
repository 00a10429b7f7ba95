-- How far the sealed log has been taken in: the index of the first leaf that is not in the tables yet.
-- Written after the rows of a batch, so that after a crash every row at or beyond it is known to be unfinished.
CREATE TABLE IF NOT EXISTS ingest_positions
(
    name LowCardinality(String),
    position UInt64,
    written_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(position)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
