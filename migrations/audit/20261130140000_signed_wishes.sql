-- Whoever can write this file and not sign has nobody forgotten: 64 bytes, Ed25519 by the log's key. None where it was asked
-- before wishes were signed; such a wish is refused.
ALTER TABLE erasure ADD COLUMN signature BLOB;
