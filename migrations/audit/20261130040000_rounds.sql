-- Who is still named goes by places in the log, not by clocks. A round begins with each day and with each start; whoever asks
-- in it is noted in it. So behind a round no record names a principal that was not noted again.
CREATE TABLE round (
    -- Where it begins: its first record.
    place INTEGER NOT NULL PRIMARY KEY CHECK (place >= 1099511627776)
) STRICT;

-- The place of the record for which it was last noted. Those from before the first round may be named anywhere before it.
ALTER TABLE principal_snapshot ADD COLUMN noted INTEGER NOT NULL DEFAULT 0;
