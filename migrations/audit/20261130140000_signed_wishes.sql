-- A wish is about what the log holds when it is asked: records of this origin below this number, and all before.
ALTER TABLE erasure ADD COLUMN origin TEXT;
ALTER TABLE erasure ADD COLUMN size INTEGER;
-- 64 bytes, Ed25519 by the log's key: whoever can write this file and not sign has nobody forgotten. None where it was asked before
-- wishes were signed; such a wish is refused.
ALTER TABLE erasure ADD COLUMN signature BLOB;
