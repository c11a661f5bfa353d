-- Who approved of which draft, where publishing needs a second person. An approval is of one content, against one release.
CREATE TABLE approval (
    content_hash TEXT   NOT NULL,
    based_on     BIGINT NOT NULL,
    approved_by  TEXT   NOT NULL,
    approved_at  BIGINT NOT NULL,
    PRIMARY KEY (content_hash, based_on, approved_by)
);
