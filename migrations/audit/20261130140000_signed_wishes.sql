-- A wish is about what the log holds when it is asked: these logs, and so many records of each, as JSON.
ALTER TABLE erasure ADD COLUMN logs TEXT;
-- 64 bytes, Ed25519 by the log's key: whoever can write this file and not sign has nobody forgotten. None where it was asked before
-- wishes were signed; such a wish is refused.
ALTER TABLE erasure ADD COLUMN signature BLOB;
