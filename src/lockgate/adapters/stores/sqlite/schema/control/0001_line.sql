-- SPDX-License-Identifier: Apache-2.0
-- The line: spine, buckets, rollouts, receipts, log and outbox. Every key begins with the organisation.
-- A body is the packed core value; what stands beside it in columns is what rows are found or held by.

CREATE TABLE apps (
  org TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, name)
) STRICT;

CREATE TABLE releases (
  org TEXT NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL, first_seen_at INTEGER NOT NULL,
  PRIMARY KEY (org, app, name)
) STRICT;

CREATE TABLE slots (
  org TEXT NOT NULL, app TEXT NOT NULL, number INTEGER NOT NULL CHECK (number >= 0),
  opened_at INTEGER NOT NULL, seals_at INTEGER NOT NULL CHECK (seals_at >= opened_at), starts_at INTEGER,
  sealed_at INTEGER, digest TEXT,
  PRIMARY KEY (org, app, number),
  CHECK ((sealed_at IS NULL) = (digest IS NULL))
) STRICT;
CREATE INDEX open_slots ON slots (org, app, number) WHERE sealed_at IS NULL;

CREATE TABLE cells (
  org TEXT NOT NULL, app TEXT NOT NULL, number INTEGER NOT NULL, release TEXT NOT NULL, labels BLOB NOT NULL,
  runs INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, app, number, release, labels),
  FOREIGN KEY (org, app, number) REFERENCES slots
) STRICT;

-- What batches added to the cells of open slots and is not written there yet; of so many of a level one of the next is made.
CREATE TABLE tallies (
  place INTEGER PRIMARY KEY, org TEXT NOT NULL, app TEXT NOT NULL, number INTEGER NOT NULL,
  level INTEGER NOT NULL CHECK (level >= 0), runs BLOB NOT NULL, body BLOB NOT NULL,
  FOREIGN KEY (org, app, number) REFERENCES slots
) STRICT;
CREATE INDEX tallies_of_slot ON tallies (org, app, number, level);

CREATE TABLE batches (
  org TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, digest)
) STRICT;

-- Raw runs of small batches, compressed, until they are moved to the file of raw runs.
CREATE TABLE held_segments (
  org TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, digest)
) STRICT;

CREATE TABLE slot_batches (
  org TEXT NOT NULL, app TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (org, app, number, digest),
  FOREIGN KEY (org, app, number) REFERENCES slots
) STRICT, WITHOUT ROWID;

-- Ids of runs that were tallied, as marks: of each batch within an app's window, or of every run.
-- A row of the window is of all batches that were kept at once, by the digest of the first.
CREATE TABLE id_keys (
  org TEXT NOT NULL PRIMARY KEY, key BLOB NOT NULL
) STRICT;

CREATE TABLE id_window (
  place INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT NOT NULL, app TEXT NOT NULL, digest TEXT NOT NULL,
  at INTEGER NOT NULL, marks BLOB NOT NULL
) STRICT;
CREATE INDEX id_window_of_app ON id_window (org, app, place);

CREATE TABLE strict_ids (
  org TEXT NOT NULL, app TEXT NOT NULL, mark INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (org, app, mark)
) STRICT, WITHOUT ROWID;

-- How many runs did not count, because their ids were known.
CREATE TABLE left_out (
  org TEXT NOT NULL, app TEXT NOT NULL, release TEXT NOT NULL, runs INTEGER NOT NULL,
  PRIMARY KEY (org, app, release)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
  org TEXT NOT NULL, app TEXT NOT NULL, probe TEXT NOT NULL, release TEXT NOT NULL, at INTEGER NOT NULL,
  slot INTEGER NOT NULL, labels BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, app, probe, release)
) STRICT, WITHOUT ROWID;

CREATE TABLE pairs (
  org TEXT NOT NULL, app TEXT NOT NULL, number INTEGER NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL,
  labels BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, app, number, first, second, labels),
  FOREIGN KEY (org, app, number) REFERENCES slots,
  CHECK (first < second)
) STRICT;

-- How long what is kept, and which slots' raw runs stay because of a decision.
CREATE TABLE retention (
  org TEXT NOT NULL PRIMARY KEY, body BLOB NOT NULL
) STRICT;

CREATE TABLE pins (
  org TEXT NOT NULL, rollout TEXT NOT NULL, first INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, rollout, first)
) STRICT;
CREATE INDEX batches_by_time ON batches (org, at, digest);

CREATE TABLE policies (
  org TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, digest)
) STRICT;

CREATE TABLE rollouts (
  org TEXT NOT NULL, id TEXT NOT NULL, app TEXT NOT NULL, mode TEXT NOT NULL, is_active INTEGER NOT NULL,
  revision INTEGER NOT NULL CHECK (revision >= 1), weight REAL NOT NULL CHECK (weight BETWEEN 0 AND 100),
  turn INTEGER NOT NULL CHECK (turn >= 1), ticked_at INTEGER NOT NULL, rollout BLOB NOT NULL, trial BLOB NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;
CREATE INDEX rollouts_of_app ON rollouts (org, app);
CREATE INDEX active_rollouts ON rollouts (org, app) WHERE is_active;
CREATE UNIQUE INDEX one_canary_of_app ON rollouts (org, app) WHERE is_active AND mode = 'canary';

CREATE TABLE folded (
  org TEXT NOT NULL, rollout TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (org, rollout, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE looks (
  org TEXT NOT NULL, rollout TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, rollout, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
  org TEXT NOT NULL, rollout TEXT NOT NULL, seq INTEGER NOT NULL CHECK (seq >= 1), id TEXT NOT NULL,
  log_index INTEGER NOT NULL CHECK (log_index >= 0), body BLOB NOT NULL,
  PRIMARY KEY (org, rollout, seq),
  UNIQUE (org, id), UNIQUE (org, log_index)
) STRICT;

CREATE TABLE nodes (
  org TEXT NOT NULL, level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (org, level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
  org TEXT NOT NULL, size INTEGER NOT NULL CHECK (size >= 1), note BLOB NOT NULL,
  PRIMARY KEY (org, size)
) STRICT;

-- Bytes that receipts name by their digest, compressed.
CREATE TABLE contents (
  org TEXT NOT NULL, digest TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, digest)
) STRICT;
CREATE TRIGGER kept_content BEFORE UPDATE ON contents
BEGIN SELECT RAISE(ABORT, 'contents are kept as they are'); END;
CREATE TRIGGER kept_content_gone BEFORE DELETE ON contents
BEGIN SELECT RAISE(ABORT, 'contents are kept as they are'); END;

-- What witnesses and timestamp authorities signed over checkpoints.
CREATE TABLE vouchers (
  org TEXT NOT NULL, size INTEGER NOT NULL CHECK (size >= 1), kind TEXT NOT NULL, signer TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (org, size, kind, signer)
) STRICT;
CREATE INDEX vouchers_by_signer ON vouchers (org, kind, signer, size);

-- The outbox: what must be told, to whom, and what became of it.
CREATE TABLE messages (
  place INTEGER PRIMARY KEY, org TEXT NOT NULL, id TEXT NOT NULL, app TEXT NOT NULL, body BLOB NOT NULL,
  UNIQUE (org, id)
) STRICT;
CREATE INDEX messages_of_app ON messages (org, app, place);
CREATE TABLE endpoints (
  org TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;
CREATE TABLE deliveries (
  org TEXT NOT NULL, message TEXT NOT NULL, endpoint TEXT NOT NULL, app TEXT NOT NULL, state TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (org, message, endpoint),
  FOREIGN KEY (org, message) REFERENCES messages (org, id)
) STRICT;
-- Who may call, by the digests of tokens; and what calls with an idempotency key were answered.
CREATE TABLE api_keys (
  org TEXT NOT NULL, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;
-- Whose jobs get a key by their own token.
CREATE TABLE trust_rules (
  org TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, id)
) STRICT;
CREATE TABLE replies (
  org TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (org, key)
) STRICT;
CREATE INDEX replies_by_time ON replies (org, at);

CREATE INDEX deliveries_by_state ON deliveries (org, state, app);
CREATE TRIGGER kept_message BEFORE UPDATE ON messages
BEGIN SELECT RAISE(ABORT, 'messages are kept as they are'); END;

CREATE TRIGGER sealed_slot BEFORE UPDATE ON slots WHEN OLD.sealed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;
CREATE TRIGGER sealed_cell_added BEFORE INSERT ON cells
WHEN (SELECT sealed_at FROM slots WHERE org = NEW.org AND app = NEW.app AND number = NEW.number) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;
CREATE TRIGGER sealed_cell_changed BEFORE UPDATE ON cells
WHEN (SELECT sealed_at FROM slots WHERE org = OLD.org AND app = OLD.app AND number = OLD.number) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;

CREATE TRIGGER sealed_pairs_added BEFORE INSERT ON pairs
WHEN (SELECT sealed_at FROM slots WHERE org = NEW.org AND app = NEW.app AND number = NEW.number) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;
CREATE TRIGGER sealed_pairs_changed BEFORE UPDATE ON pairs
WHEN (SELECT sealed_at FROM slots WHERE org = OLD.org AND app = OLD.app AND number = OLD.number) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;

CREATE TRIGGER sealed_tallies_added BEFORE INSERT ON tallies
WHEN (SELECT sealed_at FROM slots WHERE org = NEW.org AND app = NEW.app AND number = NEW.number) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a sealed bucket does not change'); END;
CREATE TRIGGER sealed_over_tallies BEFORE UPDATE OF sealed_at ON slots
WHEN NEW.sealed_at IS NOT NULL AND EXISTS
  (SELECT 1 FROM tallies WHERE org = NEW.org AND app = NEW.app AND number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'what was added to a bucket stands beside its cells'); END;

CREATE TRIGGER kept_receipt BEFORE UPDATE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are kept as they are'); END;
CREATE TRIGGER kept_receipt_gone BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'receipts are kept as they are'); END;
CREATE TRIGGER kept_node BEFORE UPDATE ON nodes
BEGIN SELECT RAISE(ABORT, 'the log is kept as it is'); END;
CREATE TRIGGER kept_node_gone BEFORE DELETE ON nodes
BEGIN SELECT RAISE(ABORT, 'the log is kept as it is'); END;
CREATE TRIGGER kept_checkpoint BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are kept as they are'); END;
CREATE TRIGGER kept_checkpoint_gone BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are kept as they are'); END;
