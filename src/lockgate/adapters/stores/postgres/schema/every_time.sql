-- SPDX-License-Identifier: Apache-2.0
-- Carried out after the migrations: each table is held by its organisation, and a server has no more rights than it needs.

DO $$
DECLARE
  found text;
BEGIN
  FOR found IN
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org'
    WHERE c.relnamespace = 'lockgate'::regnamespace AND c.relkind = 'r' AND NOT c.relforcerowsecurity
  LOOP
    EXECUTE format('ALTER TABLE lockgate.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', found);
    EXECUTE format('CREATE POLICY own_org ON lockgate.%I USING (org = current_setting(''lockgate.org'', true))', found);
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'lockgate_server') THEN
    GRANT USAGE ON SCHEMA lockgate TO lockgate_server;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lockgate TO lockgate_server;
    REVOKE INSERT, UPDATE, DELETE ON lockgate.versions FROM lockgate_server;
    REVOKE UPDATE, DELETE ON
      lockgate.receipts, lockgate.nodes, lockgate.checkpoints, lockgate.messages, lockgate.policies, lockgate.folded,
      lockgate.releases, lockgate.id_keys, lockgate.contents FROM lockgate_server;
    REVOKE DELETE ON lockgate.apps, lockgate.rollouts, lockgate.retention, lockgate.left_out FROM lockgate_server;
  END IF;
END $$;
