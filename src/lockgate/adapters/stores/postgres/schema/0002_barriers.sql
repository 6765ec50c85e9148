-- SPDX-License-Identifier: Apache-2.0
-- What no program may do: change what is kept for ever or sealed, see or write what is of another organisation, and go
-- on after a later version has changed the tables.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = TG_ARGV[0];
END $$;

CREATE FUNCTION refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  at_slot record := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
BEGIN
  IF EXISTS (
    SELECT 1 FROM lockgate.slots s
    WHERE s.org = at_slot.org AND s.app = at_slot.app AND s.number = at_slot.number AND s.sealed_at IS NOT NULL
  ) THEN
    RAISE EXCEPTION USING ERRCODE = 'LG001',
      MESSAGE = format('bucket %s of %s is sealed and does not change', at_slot.number, at_slot.app);
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION refuse_seal_over_tallies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM lockgate.tallies t WHERE t.org = NEW.org AND t.app = NEW.app AND t.number = NEW.number) THEN
    RAISE EXCEPTION USING ERRCODE = 'LG001', MESSAGE = 'what was added to a bucket stands beside its cells';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION refuse_older(known bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM lockgate.versions WHERE number > known) THEN
    RAISE EXCEPTION USING ERRCODE = 'LG003', MESSAGE = 'the schema is of a later version';
  END IF;
END $$;

CREATE TRIGGER kept_message BEFORE UPDATE ON messages
  FOR EACH ROW EXECUTE FUNCTION refuse_change('messages are kept as they are');
CREATE TRIGGER kept_receipt BEFORE UPDATE OR DELETE ON receipts
  FOR EACH ROW EXECUTE FUNCTION refuse_change('receipts are kept as they are');
CREATE TRIGGER kept_receipts BEFORE TRUNCATE ON receipts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('receipts are kept as they are');
CREATE TRIGGER kept_node BEFORE UPDATE OR DELETE ON nodes
  FOR EACH ROW EXECUTE FUNCTION refuse_change('the log is kept as it is');
CREATE TRIGGER kept_nodes BEFORE TRUNCATE ON nodes
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the log is kept as it is');
CREATE TRIGGER kept_checkpoint BEFORE UPDATE OR DELETE ON checkpoints
  FOR EACH ROW EXECUTE FUNCTION refuse_change('checkpoints are kept as they are');
CREATE TRIGGER kept_checkpoints BEFORE TRUNCATE ON checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('checkpoints are kept as they are');

CREATE TRIGGER kept_content BEFORE UPDATE OR DELETE ON contents
  FOR EACH ROW EXECUTE FUNCTION refuse_change('contents are kept as they are');
CREATE TRIGGER kept_contents BEFORE TRUNCATE ON contents
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('contents are kept as they are');

CREATE TRIGGER sealed_slot BEFORE UPDATE ON slots FOR EACH ROW WHEN (OLD.sealed_at IS NOT NULL)
  EXECUTE FUNCTION refuse_sealed();
CREATE TRIGGER sealed_over_tallies BEFORE UPDATE ON slots FOR EACH ROW WHEN (NEW.sealed_at IS NOT NULL)
  EXECUTE FUNCTION refuse_seal_over_tallies();
CREATE TRIGGER sealed_cell BEFORE INSERT OR UPDATE ON cells FOR EACH ROW EXECUTE FUNCTION refuse_sealed();
CREATE TRIGGER sealed_pairs BEFORE INSERT OR UPDATE ON pairs FOR EACH ROW EXECUTE FUNCTION refuse_sealed();
CREATE TRIGGER sealed_tallies BEFORE INSERT OR UPDATE ON tallies FOR EACH ROW EXECUTE FUNCTION refuse_sealed();

-- Two questions go across organisations, each by a word of its own: whose a key is, and which organisations have keys.
CREATE POLICY by_its_id ON api_keys FOR SELECT USING (id = current_setting('lockgate.key', true));
CREATE POLICY every_name ON api_keys FOR SELECT USING (current_setting('lockgate.question', true) = 'orgs');
