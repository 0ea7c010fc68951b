-- The whole schema of Sealpost. Applied by `sealpost migrate` in one transaction.
--
-- Reading order: outbox (what producers write), intake (what has not been fanned out yet), endpoints,
-- deliveries (live work), delivery_history and dead_letters (where deliveries end), other_attempts, dispatchers.
--
-- Three rules shape it:
--   * Rows move, they are not rewritten: a delivery that succeeds at once is a share of one row that a whole
--     batch has together, and one insert into append-only history.
--   * Big append-only tables (outbox, delivery_history, other_attempts) are partitioned by id. Ids are ULIDs,
--     so a range of ids is a range of time: retention drops whole days, and a lookup by id touches one
--     partition. A default partition catches ids of days that have no partition (yet); maintenance
--     moves its rows out. Nothing is refused because maintenance was late.
--   * No id, no statement and no ordering guarantee needs to see more than one database.

-- `sealpost migrate` has made it already, for its own table.
CREATE SCHEMA IF NOT EXISTS sealpost;

-- ---------------------------------------------------------------------------------------- helpers

-- Raises a producer-friendly error. It stands on the right of OR, so that good rows pay only for the test on the left.
CREATE FUNCTION sealpost.refuse(field text, rule text, remedy text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'sealpost.outbox refuses this row: % %', field, rule
    USING ERRCODE = 'check_violation', COLUMN = field, HINT = remedy;
END $$;

-- The ten characters that every ULID made at this time begins with (Crockford base32 of Unix
-- milliseconds, two characters per lookup). plpgsql evaluates the one expression without planning it again.
CREATE FUNCTION sealpost.ulid_time(at timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  ms constant bigint := floor(extract(epoch FROM at) * 1000);
  digits constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
BEGIN
  RETURN substr(digits, (ms >> 45 & 31)::int + 1, 1) || substr(digits, (ms >> 40 & 31)::int + 1, 1)
      || substr(digits, (ms >> 35 & 31)::int + 1, 1) || substr(digits, (ms >> 30 & 31)::int + 1, 1)
      || substr(digits, (ms >> 25 & 31)::int + 1, 1) || substr(digits, (ms >> 20 & 31)::int + 1, 1)
      || substr(digits, (ms >> 15 & 31)::int + 1, 1) || substr(digits, (ms >> 10 & 31)::int + 1, 1)
      || substr(digits, (ms >> 5 & 31)::int + 1, 1) || substr(digits, (ms & 31)::int + 1, 1);
END $$;

-- The random half of a ULID. Uses 64 of a random UUID's bits: its last sixteen hexadecimal digits are
-- Crockford digits already, and the UUID's fixed bits are not among them except two.
CREATE FUNCTION sealpost.new_id(prefix text) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
  RETURN prefix || sealpost.ulid_time(clock_timestamp())
      || upper(right(replace(gen_random_uuid()::text, '-', ''), 16));
END $$;

-- ------------------------------------------------------------------------------------------ outbox

-- Public interface: docs/PRODUCERS.md. Changed only compatibly.
CREATE TABLE sealpost.outbox (
  id            text COLLATE "C" NOT NULL DEFAULT sealpost.new_id('evt_'),
  tenant        text NOT NULL DEFAULT 'default',
  type          text NOT NULL,
  payload       json,
  payload_bytes bytea,
  content_type  text,
  ordering_key  text,
  created_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE TABLE sealpost.outbox_default PARTITION OF sealpost.outbox DEFAULT;

-- Days without a partition are far away: a wrong clock or a made-up id. Near ones are let in. Malformed
-- ids end here too, before the rules have been asked, and are left to them.
CREATE FUNCTION sealpost.outbox_check_far_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id ~ '^evt_[0-7][0-9A-HJKMNP-TV-Z]{25}$'
     AND (NEW.id < 'evt_' || sealpost.ulid_time(now() - interval '30 days')
          OR NEW.id > 'evt_' || sealpost.ulid_time(now() + interval '2 days')) THEN
    PERFORM sealpost.refuse('id', 'carries a time more than 30 days ago or 2 days ahead',
                            'A ULID begins with its time in milliseconds; leave id out to have one made.');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER check_far_id BEFORE INSERT ON sealpost.outbox_default
  FOR EACH ROW EXECUTE FUNCTION sealpost.outbox_check_far_id();

-- ------------------------------------------------------------------------------------------ intake

-- Events that have not been fanned out, with what fan-out asks about them: so it reads an event's row in the
-- outbox only if its payload is needed at once (measured: 2 us per event less). A sequence and not the id gives the order: an event
-- committed before another one's transaction began has the smaller number, also within one millisecond
-- and with clocks that jump.
CREATE TABLE sealpost.intake (
  seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id     text COLLATE "C" NOT NULL,
  tenant       text NOT NULL,
  type         text NOT NULL,
  ordering_key text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);

-- The rules for an event, each with what to do about it.
CREATE FUNCTION sealpost.check_event(id text, tenant text, type text, payload json, payload_bytes bytea,
                                     content_type text, ordering_key text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN
    (id ~ '^evt_[0-7][0-9A-HJKMNP-TV-Z]+$' AND length(id) = 30
      OR sealpost.refuse('id', 'must be evt_ and a ULID in upper case', 'Leave id out to have one made.'))
    AND (tenant ~ '^[A-Za-z0-9_.:@-]+$' AND length(tenant) <= 128
      OR sealpost.refuse('tenant', 'must be 1 to 128 letters, digits or _ . : @ -',
                         'Use the tenant name that the endpoints were registered with.'))
    AND (type ~ '^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$' AND length(type) <= 128
      OR sealpost.refuse('type', 'must be words of letters, digits and _ joined by dots, at most 128 characters',
                         'For instance invoice.paid'))
    AND (type !~ '^webhook(\.|$)'
      OR sealpost.refuse('type', 'must not begin with webhook.',
                         'That prefix is reserved for events about the sender itself.'))
    AND (num_nonnulls(payload, payload_bytes) = 1
      OR sealpost.refuse('payload', 'or payload_bytes must be set, and not both',
                         'JSON goes into payload, any other body into payload_bytes.'))
    AND (payload IS NULL OR octet_length(payload::text) <= 1048576
      OR sealpost.refuse('payload', 'must be at most 1 MiB (1048576 bytes)', 'Send a link to the data instead.'))
    AND (payload_bytes IS NULL OR octet_length(payload_bytes) <= 1048576
      OR sealpost.refuse('payload_bytes', 'must be at most 1 MiB (1048576 bytes)', 'Send a link to the data instead.'))
    AND (content_type IS NULL
      OR content_type ~ '^[!-~]+/[!-~]+( ?; ?[!-~]+)*$' AND length(content_type) <= 255
      OR sealpost.refuse('content_type', 'must be a media type of at most 255 visible characters',
                         'For instance application/x-protobuf'))
    AND (ordering_key IS NULL OR length(ordering_key) BETWEEN 1 AND 256
      OR sealpost.refuse('ordering_key', 'must have 1 to 256 characters',
                         'Leave it NULL where order does not matter.'));
END $$;

-- What an insert costs its producer beyond the row: its place in intake, and the rules. Every transaction sets an
-- expression up anew, piece by piece, also what is never reached. So most events are let in by one small expression,
-- and what it does not let in is up to check_event(). Measured for single rows, each in a transaction of its own: 21 us
-- beyond the 26 of a plain table; 30 with all rules and hints in one expression and a search path set for each row.
-- Lengths are compared and not counted by the patterns, which makes those many times cheaper.
--
-- One trigger for each row: a CHECK is read and prepared anew by every INSERT statement, and a trigger for each
-- statement has to keep its rows. AFTER, so that a row that ON CONFLICT left out is not taken in. No NOTIFY: it
-- serializes the producers' commits (measured: 3,000 commits/s with it, 12,500 without).
--
-- SECURITY DEFINER, so that producers need no right on intake. Every name says its schema, or a producer could bring
-- operators of its own.
CREATE FUNCTION sealpost.accept_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF NOT (
    NEW.id OPERATOR(pg_catalog.~) '^evt_[0-7][0-9A-HJKMNP-TV-Z]+$'
    AND NEW.tenant OPERATOR(pg_catalog.~) '^[A-Za-z0-9_.:@-]+$'
    AND NEW.type OPERATOR(pg_catalog.~) '^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*$'
    AND NOT pg_catalog.starts_with(NEW.type, 'webhook')
    AND pg_catalog.length(NEW.id) OPERATOR(pg_catalog.=) 30
    AND pg_catalog.length(NEW.tenant) OPERATOR(pg_catalog.<=) 128
    AND pg_catalog.length(NEW.type) OPERATOR(pg_catalog.<=) 128
    AND NEW.payload IS NOT NULL AND NEW.payload_bytes IS NULL
    AND pg_catalog.octet_length(NEW.payload::pg_catalog.text) OPERATOR(pg_catalog.<=) 1048576
    AND NEW.content_type IS NULL
    AND (NEW.ordering_key IS NULL OR NEW.ordering_key OPERATOR(pg_catalog.<>) ''
         AND pg_catalog.length(NEW.ordering_key) OPERATOR(pg_catalog.<=) 256)
  ) THEN
    PERFORM sealpost.check_event(NEW.id, NEW.tenant, NEW.type, NEW.payload, NEW.payload_bytes, NEW.content_type,
                                 NEW.ordering_key);
  END IF;
  INSERT INTO sealpost.intake (event_id, tenant, type, ordering_key)
  VALUES (NEW.id, NEW.tenant, NEW.type, NEW.ordering_key);
  RETURN NULL;
END $$;
CREATE TRIGGER accept_event AFTER INSERT ON sealpost.outbox
  FOR EACH ROW EXECUTE FUNCTION sealpost.accept_event();

-- Whether there is something to take in or to pick up: what an idle dispatcher asks a few hundred times a second. A
-- function, because its settings travel with it: the indexes are used whatever the statistics of the (mostly empty)
-- tables say, without a transaction around it and also through a connection pooler.
--
-- In a backlog the next event stands behind the position up to which all was seen to be taken; from `from_position`
-- (NULL: events are not asked for) to there lie the dead rows of a second. So the first one's position is told, and
-- what others took is passed once (0.38 ms per call behind 199,000 dead rows, 0.09 from the right position, of which
-- 0.05 are the round trip).
CREATE FUNCTION sealpost.work_waits(from_position bigint, seen_to bigint, for_epoch bigint, after_handover text,
                                    largest_handover int, OUT first_event bigint, OUT handed_over boolean)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF from_position IS NOT NULL THEN
    SELECT seq INTO first_event FROM sealpost.intake WHERE seq > seen_to ORDER BY seq LIMIT 1;
    IF NOT FOUND THEN
      SELECT seq INTO first_event FROM sealpost.intake WHERE seq >= from_position ORDER BY seq LIMIT 1;
    END IF;
  END IF;
  handed_over := EXISTS (SELECT FROM sealpost.handovers h WHERE h.epoch = for_epoch AND h.id > after_handover
                          AND h.deliveries <= largest_handover);
END $$;

-- Whether an event that came from a position on belongs to a tenant with few (an eighth) of the `newest` events and
-- no endpoint with ordering. `highest` is the last one's position. Asked every few milliseconds while a backlog waits:
-- so first only what came from that position on is counted: a tenant with few in all has few there. 13 us if that
-- is nothing, 150 us if all the newest have to be counted then (measured beside a flood of 500,000). Custom plans look
-- cheaper to PostgreSQL and take as long again to make, every time.
CREATE FUNCTION sealpost.look_out_of_turn(from_position bigint, newest int, OUT highest bigint, OUT waits boolean)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  counted_from bigint;
BEGIN
  FOREACH counted_from IN ARRAY ARRAY[from_position, 0] LOOP
    SELECT coalesce(max(t.highest), 0),
           coalesce(bool_or(t.highest >= from_position AND t.events <= newest / 8 AND NOT EXISTS (
             SELECT FROM sealpost.endpoints e WHERE e.tenant = t.tenant AND e.ordering = 'fifo' OFFSET 0)), false)
    INTO highest, waits
    FROM (
      SELECT n.tenant, count(*) AS events, max(n.seq) AS highest
      FROM (SELECT seq, tenant FROM sealpost.intake WHERE seq >= counted_from ORDER BY seq DESC LIMIT newest) n
      GROUP BY n.tenant) t;
    EXIT WHEN NOT waits OR from_position = 0;
  END LOOP;
END $$;

-- --------------------------------------------------------------------------------------- endpoints

CREATE TABLE sealpost.endpoints (
  id             text COLLATE "C" PRIMARY KEY,
  tenant         text NOT NULL,
  url            text NOT NULL,
  description    text NOT NULL DEFAULT '',
  status         text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'paused', 'disabled', 'deleted')),
  status_reason  text NOT NULL DEFAULT '',
  enabled_events text[] NOT NULL CHECK (cardinality(enabled_events) > 0),
  signing        jsonb NOT NULL,                    -- {"profile": …} or {"custom": {…}}; see storage/endpoint_codec.h
  envelope       text NOT NULL CHECK (envelope IN ('standard', 'itpay', 'pandora', 'raw', 'cloudevents', 'cloudevents-binary')),
  retry          jsonb NOT NULL,                    -- {"preset": …} or {"delays_ms": […], …}; see storage/endpoint_codec.h
  timeout_ms     int NOT NULL CHECK (timeout_ms BETWEEN 1000 AND 60000),
  max_in_flight  int NOT NULL CHECK (max_in_flight BETWEEN 1 AND 1000),
  rate_limit_per_second float8 CHECK (rate_limit_per_second BETWEEN 0.001 AND 100000),
  ordering       text NOT NULL DEFAULT 'none' CHECK (ordering IN ('none', 'fifo')),
  on_dead_letter text NOT NULL DEFAULT 'stop' CHECK (on_dead_letter IN ('stop', 'continue')),  -- for fifo
  headers        bytea,                             -- encrypted JSON object; context 'endpoints.headers.' || id
  headers_key_id text,                              -- which master key
  encryption_enabled   boolean NOT NULL DEFAULT false,  -- bodies are encrypted; see encryption_keys
  enc_header           text NOT NULL DEFAULT 'auto' CHECK (enc_header IN ('auto', 'full', 'body')),
  reuse_ephemeral_keys boolean NOT NULL DEFAULT false,
  require_encrypted_response boolean NOT NULL DEFAULT false,  -- a 2xx without one does not count
  -- Whether the receiver agrees (core/validation.h).
  validation        text NOT NULL DEFAULT 'none' CHECK (validation IN ('none', 'cloudevents', 'challenge')),
  validation_state  text NOT NULL DEFAULT 'none'
    CHECK (validation_state IN ('none', 'unasked', 'pending', 'valid', 'refused')),
  validation_reason text NOT NULL DEFAULT '',
  validation_due_at timestamptz,                    -- when it is asked (again); NULL: not by itself
  validation_asks   smallint NOT NULL DEFAULT 0,    -- since the last answer
  validation_asked_at timestamptz,
  validation_origin text NOT NULL DEFAULT '',       -- as whom (cloudevents)
  validation_callback bytea CHECK (octet_length(validation_callback) = 32),  -- SHA-256 of the secret in its URL
  validation_allowed_rate int CHECK (validation_allowed_rate > 0),           -- per minute; NULL: any
  metadata       jsonb NOT NULL DEFAULT '{}',
  version        int NOT NULL DEFAULT 1,            -- rises with every change a dispatcher must see
  -- Dispatchers divide the work by bucket, so that one endpoint's limits live in one process's memory.
  bucket         smallint NOT NULL GENERATED ALWAYS AS ((hashtextextended(id, 0) & 255)::smallint) STORED,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  CHECK ((validation = 'none') = (validation_state = 'none')),
  CHECK (validation_state NOT IN ('pending', 'refused') OR status = 'paused')
);
CREATE INDEX endpoints_to_validate ON sealpost.endpoints (validation_due_at) WHERE validation_due_at IS NOT NULL;
CREATE UNIQUE INDEX endpoints_by_validation_callback ON sealpost.endpoints (validation_callback)
  WHERE validation_callback IS NOT NULL;
CREATE INDEX endpoints_by_tenant ON sealpost.endpoints (tenant, id);
CREATE INDEX endpoints_with_ordering ON sealpost.endpoints (tenant) WHERE ordering = 'fifo';
CREATE INDEX endpoints_by_change ON sealpost.endpoints (updated_at);

-- enabled_events, one row each, so that fan-out finds endpoints by index however many there are. Written
-- together with the endpoint; no rows for deleted endpoints.
CREATE TABLE sealpost.endpoint_event_patterns (
  tenant      text NOT NULL,
  pattern     text NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL REFERENCES sealpost.endpoints (id),
  PRIMARY KEY (tenant, pattern, endpoint_id)
);
CREATE INDEX endpoint_event_patterns_by_endpoint ON sealpost.endpoint_event_patterns (endpoint_id);

-- 'a.b.c' → {*, a.b.c, a.*, a.b.*}; reserved types are matched by their exact name only. plpgsql, because
-- it keeps its plans: 4 µs a call, and 14 µs as a function in SQL.
CREATE FUNCTION sealpost.matching_patterns(type text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  words constant text[] := string_to_array(type, '.');
  patterns text[] := ARRAY['*', type];
  prefix text := '';
BEGIN
  IF starts_with(type, 'webhook.') THEN RETURN ARRAY[type]; END IF;
  FOR n IN 1 .. cardinality(words) - 1 LOOP
    prefix := prefix || words[n] || '.';
    patterns := patterns || (prefix || '*');
  END LOOP;
  RETURN patterns;
END $$;

CREATE TABLE sealpost.endpoint_secrets (
  id          text COLLATE "C" PRIMARY KEY,
  endpoint_id text COLLATE "C" NOT NULL REFERENCES sealpost.endpoints (id),
  ciphertext  bytea NOT NULL,       -- AES-256-GCM; context 'endpoint_secrets.ciphertext.' || id
  key_id      text NOT NULL,        -- which master key
  fingerprint text,                 -- of the secret's text; NULL: not made by us, and its hash could be guessed at
  public_key  text,                 -- of a key pair; see core/signing_secret.h
  reason      text NOT NULL DEFAULT '',  -- of the rotation that made it
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  activated_at timestamptz,         -- an operator said that the receiver has it
  expires_at  timestamptz           -- NULL: current; else when its grace ends, or ended
);
CREATE INDEX endpoint_secrets_by_endpoint ON sealpost.endpoint_secrets (endpoint_id, created_at);
CREATE INDEX endpoint_secrets_with_public_key ON sealpost.endpoint_secrets (endpoint_id) WHERE public_key IS NOT NULL;

-- Receivers' public keys (X25519), to which bodies are encrypted. A key is an endpoint's own, or it is the
-- tenant's and serves all endpoints that have none. The primary key of such a scope is the one with the
-- latest primary_since, else the oldest.
CREATE TABLE sealpost.encryption_keys (
  id            text COLLATE "C" PRIMARY KEY DEFAULT sealpost.new_id('whk_'),
  tenant        text NOT NULL,
  endpoint_id   text COLLATE "C" REFERENCES sealpost.endpoints (id),  -- NULL: the tenant's
  public_key    bytea NOT NULL CHECK (octet_length(public_key) = 32),
  label         text NOT NULL DEFAULT '',
  primary_since timestamptz,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX encryption_keys_by_scope
  ON sealpost.encryption_keys (tenant, coalesce(endpoint_id, ''), public_key);

-- -------------------------------------------------------------------------------------- deliveries

-- Live work: pending (lease_epoch IS NULL) and delivering. The view `deliveries`, below, shows all of it; it stands in
-- two tables, and both stay small however long the history is.
--
-- A row each: whatever waits, and whatever was claimed after it had waited.
-- No index on lease_epoch: freeing a dead dispatcher's rows may scan, storing one must be cheap.
CREATE TABLE sealpost.delivery_rows (
  id              text COLLATE "C" PRIMARY KEY,
  seq             bigint NOT NULL,             -- intake.seq of the event: commit order
  event_id        text COLLATE "C" NOT NULL,
  endpoint_id     text COLLATE "C" NOT NULL,
  ordering_key    text,                        -- NULL: in any order; for fifo endpoints the event's key, or ''
  generation      smallint NOT NULL DEFAULT 1, -- plus one for every replay
  attempts        smallint NOT NULL DEFAULT 0, -- made in this generation
  next_attempt_at timestamptz NOT NULL,
  lease_epoch     bigint,                      -- dispatchers.epoch of the holder
  last_status_code smallint,
  created_at      timestamptz NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_insert_threshold = -1);
-- Waiting deliveries by endpoint.
CREATE INDEX delivery_rows_waiting ON sealpost.delivery_rows (endpoint_id, next_attempt_at)
  WHERE lease_epoch IS NULL AND ordering_key IS NULL;
-- Deliveries in order, leased ones too: the first of each key is the only one that may be leased.
CREATE INDEX delivery_rows_ordered ON sealpost.delivery_rows (endpoint_id, ordering_key, seq)
  WHERE ordering_key IS NOT NULL;

-- Those that fan-out leased at once, one row for all of a batch: most succeed at the first attempt, and then
-- none of them ever has a row of its own. The batch is not changed when one is settled; a member lives until it
-- stands in another table (batch_members). The last one takes the batch along, and what is still there after ten
-- seconds gets a row of its own. docs/decisions/0013-batches.md has the figures.
CREATE TABLE sealpost.delivery_batches (
  id           text COLLATE "C" PRIMARY KEY,   -- what its deliveries' ids begin with
  lease_epoch  bigint NOT NULL,
  created_at   timestamptz NOT NULL,
  numbers      int[] NOT NULL,                 -- the rest of the ids; from here on one element per delivery
  seqs         bigint[] NOT NULL,
  event_ids    text[] COLLATE "C" NOT NULL,
  endpoint_ids text[] COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_scale_factor = 0,
        toast.autovacuum_vacuum_threshold = 2000, toast.autovacuum_vacuum_cost_delay = 0,
        toast.autovacuum_vacuum_insert_threshold = -1);
-- Compressing by pglz took 10 % of the backend that fans out (perf, a drain). Some servers are built without lz4.
DO $$ BEGIN
  ALTER TABLE sealpost.delivery_batches
    ALTER numbers SET COMPRESSION lz4, ALTER seqs SET COMPRESSION lz4,
    ALTER event_ids SET COMPRESSION lz4, ALTER endpoint_ids SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END $$;

-- What a dispatcher fanned out for another one, until that one has picked it up. The deliveries are leased to that
-- one already, and stand in the batch of this id.
CREATE TABLE sealpost.handovers (
  epoch                bigint NOT NULL,        -- dispatchers.epoch of the one who is to have it
  id                   text COLLATE "C" NOT NULL,
  deliveries           int NOT NULL,
  waiting_endpoint_ids text[],                 -- with deliveries that were not leased: to be claimed
  PRIMARY KEY (epoch, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_threshold = -1);

-- Endpoints in these buckets whose oldest waiting delivery is due or that have deliveries in order, except
-- paused ones. Jumps through the two indexes from endpoint to endpoint, so that it costs one index lookup per
-- endpoint with waiting rows and not one per row. A function for the same reason as work_waits.
CREATE FUNCTION sealpost.endpoints_with_due(buckets smallint[], at_most int) RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 100
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE oldest AS (
    (SELECT d.endpoint_id, d.next_attempt_at FROM sealpost.delivery_rows d
     WHERE d.lease_epoch IS NULL AND d.ordering_key IS NULL
     ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1)
    UNION ALL
    SELECT n.* FROM oldest o CROSS JOIN LATERAL (
      SELECT d.endpoint_id, d.next_attempt_at FROM sealpost.delivery_rows d
      WHERE d.lease_epoch IS NULL AND d.ordering_key IS NULL AND d.endpoint_id > o.endpoint_id
      ORDER BY d.endpoint_id, d.next_attempt_at LIMIT 1) n
  ), ordered AS (
    (SELECT d.endpoint_id FROM sealpost.delivery_rows d WHERE d.ordering_key IS NOT NULL
     ORDER BY d.endpoint_id, d.ordering_key, d.seq LIMIT 1)
    UNION ALL
    SELECT n.* FROM ordered o CROSS JOIN LATERAL (
      SELECT d.endpoint_id FROM sealpost.delivery_rows d
      WHERE d.ordering_key IS NOT NULL AND d.endpoint_id > o.endpoint_id
      ORDER BY d.endpoint_id, d.ordering_key, d.seq LIMIT 1) n
  )
  SELECT o.endpoint_id FROM (
    SELECT oldest.endpoint_id, oldest.next_attempt_at FROM oldest
    UNION ALL SELECT ordered.endpoint_id, '-infinity' FROM ordered) o CROSS JOIN LATERAL (
    SELECT e.status, e.bucket FROM sealpost.endpoints e WHERE e.id = o.endpoint_id OFFSET 0) e
  WHERE o.next_attempt_at <= clock_timestamp() AND e.status <> 'paused' AND e.bucket = ANY (buckets)
  LIMIT at_most;
END $$;

-- The deliveries that come next at an endpoint with ordering: for each key the earliest in commit order, if it
-- is free and due, and if no dead letter stops the key. Those due first, first. Costs an index lookup per key.
CREATE FUNCTION sealpost.ordered_heads(endpoint text, at_most int) RETURNS SETOF tid
LANGUAGE plpgsql STABLE ROWS 10
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE heads AS (
    (SELECT d.ordering_key, d.ctid AS place, d.lease_epoch, d.next_attempt_at FROM sealpost.delivery_rows d
     WHERE d.endpoint_id = endpoint AND d.ordering_key IS NOT NULL
     ORDER BY d.endpoint_id, d.ordering_key, d.seq LIMIT 1)
    UNION ALL
    SELECT n.* FROM heads h CROSS JOIN LATERAL (
      SELECT d.ordering_key, d.ctid, d.lease_epoch, d.next_attempt_at FROM sealpost.delivery_rows d
      WHERE d.endpoint_id = endpoint AND d.ordering_key > h.ordering_key
      ORDER BY d.endpoint_id, d.ordering_key, d.seq LIMIT 1) n
  )
  SELECT h.place FROM heads h
  WHERE h.lease_epoch IS NULL AND h.next_attempt_at <= now()
    AND NOT EXISTS (
      SELECT FROM sealpost.dead_letters l JOIN sealpost.endpoints e ON e.id = l.endpoint_id
      WHERE l.endpoint_id = endpoint AND l.ordering_key = h.ordering_key AND e.on_dead_letter = 'stop')
  ORDER BY h.next_attempt_at LIMIT at_most;
END $$;

-- Final states except failed. Partitioned by id, see the top. The attempt that delivered is recorded here,
-- with the same columns as in other_attempts: one row less for nearly every delivery.
CREATE TABLE sealpost.delivery_history (
  id                 text COLLATE "C" NOT NULL,
  seq                bigint NOT NULL,
  event_id           text COLLATE "C" NOT NULL,
  endpoint_id        text COLLATE "C" NOT NULL,
  state              text NOT NULL CHECK (state IN ('delivered', 'skipped', 'canceled')),
  generation         smallint NOT NULL,
  attempts           smallint NOT NULL,
  last_status_code   smallint,
  created_at         timestamptz NOT NULL,
  finished_at        timestamptz NOT NULL,
  epoch              bigint,                   -- from here on: NULL unless delivered
  started_at         timestamptz,
  duration_us        int,
  dns_us             int, connect_us int, tls_us int, first_byte_us int,
  remote_address     text,
  response_body      bytea,
  response_truncated boolean,
  signature_key_ids  text,
  response_decrypt_failed text,                -- as in other_attempts
  CHECK (CASE WHEN state = 'delivered' THEN started_at IS NOT NULL ELSE started_at IS NULL END),
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX delivery_history_by_event ON sealpost.delivery_history (event_id);
CREATE INDEX delivery_history_by_endpoint ON sealpost.delivery_history (endpoint_id, id);
CREATE TABLE sealpost.delivery_history_default PARTITION OF sealpost.delivery_history DEFAULT;

-- What receivers answered encrypted to the request that delivered, opened, and encrypted again under the master key.
-- Partitioned like the history, and dropped with it.
CREATE TABLE sealpost.response_payloads (
  id         text COLLATE "C" NOT NULL,  -- the delivery's
  ciphertext bytea NOT NULL,             -- AES-256-GCM; context 'response_payloads.ciphertext.' || id
  key_id     text NOT NULL,              -- which master key
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
ALTER TABLE sealpost.response_payloads ALTER COLUMN ciphertext SET STORAGE EXTERNAL;  -- cannot be compressed
CREATE TABLE sealpost.response_payloads_default PARTITION OF sealpost.response_payloads DEFAULT;

-- State failed. Kept until an operator replays or removes them, however old.
CREATE TABLE sealpost.dead_letters (
  id               text COLLATE "C" PRIMARY KEY,
  seq              bigint NOT NULL,
  event_id         text COLLATE "C" NOT NULL,
  endpoint_id      text COLLATE "C" NOT NULL,
  ordering_key     text,
  reason           text NOT NULL CHECK (reason IN ('attempts_exhausted', 'rejected', 'gone', 'blocked_by_policy',
                                                   'payload_refused', 'endpoint_deleted', 'internal')),
  generation       smallint NOT NULL,
  attempts         smallint NOT NULL,
  last_status_code smallint,
  created_at       timestamptz NOT NULL,
  finished_at      timestamptz NOT NULL
);
CREATE INDEX dead_letters_by_endpoint ON sealpost.dead_letters (endpoint_id, id);
CREATE INDEX dead_letters_by_event ON sealpost.dead_letters (event_id);
-- Keys that a dead letter stops.
CREATE INDEX dead_letters_ordered ON sealpost.dead_letters (endpoint_id, ordering_key) WHERE ordering_key IS NOT NULL;

-- HTTP requests, immutable, one row each, except those that delivered (delivery_history has them). Not unique
-- on purpose: a request that was made under a lost lease is recorded too (orphaned, whatever its status),
-- whatever the new holder did.
CREATE TABLE sealpost.other_attempts (
  delivery_id       text COLLATE "C" NOT NULL,
  generation        smallint NOT NULL,
  number            smallint NOT NULL,         -- from 1
  epoch             bigint NOT NULL,           -- of the dispatcher that made it
  started_at        timestamptz NOT NULL,
  duration_us       int NOT NULL,
  dns_us            int, connect_us int, tls_us int, first_byte_us int,  -- NULL: did not happen
  status_code       smallint,
  error             text CHECK (error IN ('dns', 'connect', 'tls', 'timeout', 'connection_lost',
                                          'blocked_by_policy', 'bad_response', 'internal')),
  error_detail      text,
  remote_address    text,
  response_body     bytea,                     -- its first 4 KiB; NULL if empty
  response_truncated boolean NOT NULL DEFAULT false,
  signature_key_ids text,
  receiver_error_code text CHECK (receiver_error_code IN ('webhook_signature_invalid', 'webhook_decryption_failed')),
  response_decrypt_failed text CHECK (response_decrypt_failed IN (
    'missing', 'too_large', 'incomplete', 'malformed', 'wrong_algorithm', 'wrong_session', 'wrong_nonce', 'not_opened')),
  orphaned          boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (delivery_id);
CREATE INDEX other_attempts_by_delivery ON sealpost.other_attempts (delivery_id);
CREATE TABLE sealpost.other_attempts_default PARTITION OF sealpost.other_attempts DEFAULT;

-- Every attempt.
CREATE VIEW sealpost.attempts AS
SELECT * FROM sealpost.other_attempts
UNION ALL
SELECT id, generation, attempts, epoch, started_at, duration_us, dns_us, connect_us, tls_us, first_byte_us,
       last_status_code, NULL, NULL, remote_address, response_body, response_truncated, signature_key_ids, NULL,
       response_decrypt_failed, false
FROM sealpost.delivery_history WHERE state = 'delivered';

-- The members of a batch of which nothing has become yet. What became of the others is found by three short ranges of
-- ids. A function for the same reason as work_waits: a join in loops would take the square of the size.
CREATE FUNCTION sealpost.unsettled(batch text)
RETURNS TABLE (id text, seq bigint, event_id text, endpoint_id text)
LANGUAGE plpgsql STABLE ROWS 10
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY
  SELECT batch || m.number, m.seq, m.event_id, m.endpoint_id
  FROM sealpost.delivery_batches b
  CROSS JOIN LATERAL unnest(b.numbers, b.seqs, b.event_ids, b.endpoint_ids) AS m(number, seq, event_id, endpoint_id)
  LEFT JOIN (
    SELECT h.id FROM sealpost.delivery_history h WHERE h.id > batch AND h.id < batch || 'Z'
    UNION ALL
    SELECT r.id FROM sealpost.delivery_rows r WHERE r.id > batch AND r.id < batch || 'Z'
    UNION ALL
    SELECT l.id FROM sealpost.dead_letters l WHERE l.id > batch AND l.id < batch || 'Z') settled
    ON settled.id = batch || m.number
  WHERE b.id = batch AND settled.id IS NULL;
END $$;

CREATE VIEW sealpost.batch_members AS
SELECT b.id AS batch_id, m.id, m.seq, m.event_id, m.endpoint_id, b.lease_epoch, b.created_at
FROM sealpost.delivery_batches b CROSS JOIN LATERAL sealpost.unsettled(b.id) m;

-- Every delivery that is pending or being delivered.
CREATE VIEW sealpost.deliveries AS
SELECT id, seq, event_id, endpoint_id, ordering_key, generation, attempts, next_attempt_at, lease_epoch,
       last_status_code, created_at
FROM sealpost.delivery_rows
UNION ALL
SELECT id, seq, event_id, endpoint_id, NULL, 1::smallint, 0::smallint, created_at, lease_epoch, NULL::smallint,
       created_at
FROM sealpost.batch_members;

-- ------------------------------------------------------------------------------------- dispatchers

CREATE SEQUENCE sealpost.epochs;
CREATE TABLE sealpost.dispatchers (
  epoch      bigint PRIMARY KEY DEFAULT nextval('sealpost.epochs'),
  instance   text NOT NULL UNIQUE,
  host       text NOT NULL,  -- as it calls itself
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE sealpost.tokens (
  id         text COLLATE "C" PRIMARY KEY,
  name       text NOT NULL DEFAULT '',
  role       text NOT NULL CHECK (role IN ('admin', 'operator', 'producer', 'readonly')),
  tenant     text,
  sha256     bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- ------------------------------------------------------------------------------ partitions by day

CREATE FUNCTION sealpost.partition_name(parent text, day date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT parent || to_char(day, '_YYYY_MM_DD') $$;

-- The first id of a day, by UTC. Times of days begin and end there, whatever the session's time zone.
CREATE FUNCTION sealpost.first_id(id_prefix text, day date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT id_prefix || sealpost.ulid_time(day::timestamp AT TIME ZONE 'UTC') $$;

-- Makes the partition of one day and moves the day's rows out of the default partition. Producers go on
-- inserting meanwhile: attaching takes SHARE UPDATE EXCLUSIVE on the parent, which inserts do not mind, and
-- ACCESS EXCLUSIVE on the default partition only, which is next to empty. Waits for that at most
-- lock_timeout, so that nobody queues behind it for longer.
-- 'created', 'exists', or 'busy': the default partition is in use, try again later.
CREATE FUNCTION sealpost.add_partition(parent text, id_prefix text, day date) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  name constant text := sealpost.partition_name(parent, day);
  key constant text := CASE parent WHEN 'other_attempts' THEN 'delivery_id' ELSE 'id' END;
  low constant text := sealpost.first_id(id_prefix, day);
  high constant text := sealpost.first_id(id_prefix, day + 1);
BEGIN
  IF to_regclass(format('sealpost.%I', name)) IS NOT NULL THEN RETURN 'exists'; END IF;
  EXECUTE format('CREATE TABLE sealpost.%I (LIKE sealpost.%I INCLUDING ALL)', name, parent);
  EXECUTE format('LOCK TABLE sealpost.%I IN ACCESS EXCLUSIVE MODE', parent || '_default');
  EXECUTE format('WITH moved AS (DELETE FROM sealpost.%I WHERE %I >= %L AND %I < %L RETURNING *)
                  INSERT INTO sealpost.%I SELECT * FROM moved', parent || '_default', key, low, key, high, name);
  EXECUTE format('ALTER TABLE sealpost.%I ATTACH PARTITION sealpost.%I FOR VALUES FROM (%L) TO (%L)',
                 parent, name, low, high);
  RETURN 'created';
EXCEPTION WHEN lock_not_available THEN
  RETURN 'busy';
END $$;

-- Drops the partition of one day. Of the outbox only if none of its events is waiting, being delivered or
-- dead-lettered; one statement asks that, so that an event that just moves from one table to the next is
-- seen. The lock before it keeps out whoever could make a new reference: producers who insert into this very
-- day, and replays of its events (they lock the event's row).
-- Dropping takes ACCESS EXCLUSIVE on the parent, so it waits for the producers' open transactions, and new
-- ones wait behind it: at most lock_timeout. DETACH … CONCURRENTLY would not, but is refused where a
-- default partition exists. 'dropped', 'kept', or 'busy'.
CREATE FUNCTION sealpost.drop_partition(parent text, id_prefix text, day date) RETURNS text
LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  name constant text := sealpost.partition_name(parent, day);
  low constant text := sealpost.first_id(id_prefix, day);
  high constant text := sealpost.first_id(id_prefix, day + 1);
BEGIN
  IF parent = 'outbox' THEN
    EXECUTE format('LOCK TABLE sealpost.%I IN EXCLUSIVE MODE', name);
    IF EXISTS (SELECT FROM sealpost.intake WHERE event_id >= low AND event_id < high)
       OR EXISTS (SELECT FROM sealpost.deliveries WHERE event_id >= low AND event_id < high)
       OR EXISTS (SELECT FROM sealpost.dead_letters WHERE event_id >= low AND event_id < high) THEN
      RETURN 'kept';
    END IF;
  END IF;
  EXECUTE format('DROP TABLE sealpost.%I', name);
  RETURN 'dropped';
EXCEPTION WHEN lock_not_available THEN
  RETURN 'busy';
END $$;

-- ------------------------------------------------------------------------------------------- roles

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sealpost_producer') THEN
    CREATE ROLE sealpost_producer NOLOGIN;
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'this user may not create the role sealpost_producer'
    USING HINT = 'Run CREATE ROLE sealpost_producer NOLOGIN once as a superuser, then migrate again.';
END $$;
GRANT USAGE ON SCHEMA sealpost TO sealpost_producer;
GRANT INSERT ON sealpost.outbox TO sealpost_producer;
