-- The part of cache_write_tokens that the vendor keeps for an hour, which costs more.
ALTER TABLE attempts ADD COLUMN cache_write_1h_tokens INTEGER;
