-- SPDX-License-Identifier: Apache-2.0
-- Raw runs as they came, compressed, in a file of their own.

CREATE TABLE segments (
  org TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, digest)
) STRICT;
CREATE INDEX segments_by_time ON segments (org, at, digest);
