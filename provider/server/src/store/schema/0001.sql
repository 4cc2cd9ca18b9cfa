-- Version 1 of the store's tables. A version that was released is never edited: what changes later is a file of its own.
--
-- One text for both databases. {int}, {small} and {blob} are their types; {row} a number that the database gives out;
-- {strict} and {keyed} end a table, the latter one that is stored by its primary key. A line behind {postgres} or {sqlite} is for that one.
--
-- Times are milliseconds since 1970; the numbers of environments, kinds, lanes, deliveries and endings are the core's.

-- Who shares nothing with others.
CREATE TABLE tenant (
    id {row},
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL,
    created_at {int} NOT NULL
){strict};

-- Who may call. Of the key itself there is its hash only. Without a tenant it is the operator's.
CREATE TABLE api_key (
    id {row},
    tenant_id {int} REFERENCES tenant (id),
    label TEXT NOT NULL,
    roles TEXT NOT NULL,
    hash {blob} NOT NULL UNIQUE,
    created_at {int} NOT NULL,
    revoked_at {int}
){strict};
CREATE INDEX api_key_tenant ON api_key (tenant_id, id);

CREATE TABLE app (
    id {row},
    tenant_id {int} NOT NULL REFERENCES tenant (id),
    bundle_id TEXT NOT NULL,
    is_paused {small} NOT NULL DEFAULT 0,
    settings TEXT NOT NULL,
    created_at {int} NOT NULL,
    UNIQUE (tenant_id, bundle_id)
){strict};

-- What an app authenticates with. The secret is encrypted before it comes here.
CREATE TABLE credential (
    app_id {int} NOT NULL REFERENCES app (id),
    environment {small} NOT NULL,
    secret {blob} NOT NULL,
    about TEXT NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (app_id, environment)
){strict};

CREATE TABLE webhook (
    id {row},
    tenant_id {int} NOT NULL REFERENCES tenant (id),
    app_id {int} REFERENCES app (id),
    label TEXT NOT NULL,
    url TEXT NOT NULL,
    secret {blob} NOT NULL,
    events TEXT NOT NULL,
    is_enabled {small} NOT NULL DEFAULT 1,
    created_at {int} NOT NULL
){strict};
CREATE INDEX webhook_tenant ON webhook (tenant_id, id);

-- What a webhook is still to be told; it goes when it was told, or is given up. It may be claimed when it is due; while it is leased, due_at
-- is the end of the lease.
CREATE TABLE delivery (
    id {row},
    webhook_id {int} NOT NULL,
    -- The same in all deliveries of one event.
    event {blob} NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    -- How often it was tried.
    attempts {small} NOT NULL DEFAULT 0,
    due_at {int} NOT NULL,
    owner {int}
){strict};
CREATE INDEX delivery_due ON delivery (webhook_id, due_at);
CREATE INDEX delivery_order ON delivery (webhook_id, id);

CREATE TABLE template (
    app_id {int} NOT NULL REFERENCES app (id),
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (app_id, name)
){strict};

-- Who did what. The tenant is 0 for the operator, and no reference: what it did outlives it.
CREATE TABLE audit (
    id {row},
    tenant_id {int} NOT NULL,
    at {int} NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
){strict};
CREATE INDEX audit_tenant ON audit (tenant_id, id);

-- Numbers that are given out once: SQLite counts them here, PostgreSQL in sequences.
{sqlite}CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
{sqlite}INSERT INTO counter (name, next) VALUES ('device', 1), ('registration', 1), ('notification', 1);
{postgres}CREATE SEQUENCE counter_device CACHE 1;
{postgres}CREATE SEQUENCE counter_registration CACHE 1;
{postgres}CREATE SEQUENCE counter_notification CACHE 1;

-- One row for each token and environment of an app. Its tags are in it as JSON, to be read with it, and in device_tag, to be walked.
CREATE TABLE device (
    id {int} PRIMARY KEY,
    app_id {int} NOT NULL,
    environment {small} NOT NULL,
    kind {small} NOT NULL,
    token {blob} NOT NULL,
    user_id TEXT,
    locale TEXT,
    time_zone TEXT,
    app_version TEXT,
    tags TEXT NOT NULL,
    registered_at {int} NOT NULL,
    number {int} NOT NULL,
    user_since {int} NOT NULL,
    suspected_at {int}
){strict};
CREATE UNIQUE INDEX device_token ON device (app_id, token, environment);
CREATE INDEX device_user ON device (app_id, user_id, id) WHERE user_id IS NOT NULL;
-- An audience is walked in the order of rows. New devices come last: the index grows at its end.
CREATE INDEX device_walk ON device (app_id, kind, id);

CREATE TABLE device_tag (
    app_id {int} NOT NULL,
    tag TEXT NOT NULL,
    device_id {int} NOT NULL,
    PRIMARY KEY (app_id, tag, device_id)
){keyed};

-- A notification's counters stand apart from what it says: they are written with each batch of outcomes.
CREATE TABLE notification (
    sequence {int} PRIMARY KEY,
    id {blob} NOT NULL UNIQUE,
    app_id {int} NOT NULL,
    lane {small} NOT NULL,
    delivery {small} NOT NULL,
    is_for_users {small} NOT NULL,
    handed_in {int} NOT NULL,
    -- A hash of the app and the collapse ID.
    collapse {int},
    -- A later one with the same collapse ID came before this one was finished.
    is_overtaken {small} NOT NULL DEFAULT 0,
    -- This one came so, and its recipients are in the table collapse.
    overtakes {small} NOT NULL DEFAULT 0,
    is_planned {small} NOT NULL,
    planned {int} NOT NULL,
    left_out {int} NOT NULL,
    -- Recipients that are planned and have no outcome.
    unended {int} NOT NULL,
    accepted {int} NOT NULL DEFAULT 0,
    rejected {int} NOT NULL DEFAULT 0,
    expired {int} NOT NULL DEFAULT 0,
    replaced {int} NOT NULL DEFAULT 0,
    cancelled {int} NOT NULL DEFAULT 0,
    undeliverable {int} NOT NULL DEFAULT 0,
    ambiguous {int} NOT NULL DEFAULT 0,
    skipped {int} NOT NULL DEFAULT 0,
    dead_letters {int} NOT NULL DEFAULT 0,
    cancelled_at {int},
    finished_at {int}
){strict};
CREATE INDEX notification_finished ON notification (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX notification_collapse ON notification (collapse) WHERE collapse IS NOT NULL AND finished_at IS NULL;
CREATE INDEX notification_cancelled ON notification (sequence) WHERE cancelled_at IS NOT NULL AND finished_at IS NULL;
{postgres}ALTER TABLE notification SET (fillfactor = 70);

-- What a notification says, to whom, and when: written once.
CREATE TABLE message (
    sequence {int} PRIMARY KEY,
    message TEXT NOT NULL,
    audience TEXT NOT NULL,
    schedule TEXT NOT NULL
){strict};

CREATE TABLE campaign (
    sequence {int} PRIMARY KEY,
    app_id {int} NOT NULL,
    label TEXT,
    pace {int},
    is_paused {small} NOT NULL DEFAULT 0,
    -- When the next shard may be claimed, if it has a pace.
    next_at {int}
){strict};
CREATE INDEX campaign_app ON campaign (app_id, sequence);

-- A notification that is not planned to its end. It may be claimed when it is due; while it is, due_at is the end of the lease.
CREATE TABLE plan (
    sequence {int} PRIMARY KEY,
    progress TEXT NOT NULL,
    due_at {int} NOT NULL,
    owner {int}
){strict};
CREATE INDEX plan_due ON plan (due_at);

-- What shards are claimed from: an app in an environment and a lane. A campaign has queues of its own, so that it can be paused.
CREATE TABLE queue (
    id {row},
    app_id {int} NOT NULL,
    environment {small} NOT NULL,
    lane {small} NOT NULL,
    -- The campaign's sequence, or 0.
    campaign {int} NOT NULL,
    -- Recipients without an outcome.
    depth {int} NOT NULL,
    UNIQUE (campaign, app_id, environment, lane)
){strict};
CREATE INDEX queue_lane ON queue (lane) WHERE depth > 0;
{postgres}ALTER TABLE queue SET (fillfactor = 50);

-- What is claimed, leased and worked on. It may be claimed when it is due; while it is leased, due_at is the end of the lease. One that
-- nobody may claim any more, since it is complete or cancelled, has none.
CREATE TABLE shard (
    sequence {int} NOT NULL,
    number {int} NOT NULL,
    queue_id {int} NOT NULL,
    recipients {small} NOT NULL,
    -- Recipients without an outcome.
    unended {small} NOT NULL,
    not_before {int} NOT NULL,
    -- apns-expiration, in seconds.
    expiration {int},
    worthless_at {int},
    rounds {small} NOT NULL DEFAULT 0,
    due_at {int},
    owner {int},
    -- Positions that were marked before they were sent, of a shard that is to be sent once at most.
    started {blob},
    PRIMARY KEY (sequence, number)
){keyed};
CREATE INDEX shard_due ON shard (queue_id, due_at) WHERE due_at IS NOT NULL;
{postgres}ALTER TABLE shard SET (fillfactor = 70);

-- A shard's recipients, apart from what changes about it.
CREATE TABLE recipients (
    sequence {int} NOT NULL,
    number {int} NOT NULL,
    bytes {blob} NOT NULL,
    PRIMARY KEY (sequence, number)
){keyed};
{postgres}ALTER TABLE recipients ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- What became of a recipient: written once.
CREATE TABLE outcome (
    sequence {int} NOT NULL,
    number {int} NOT NULL,
    position {small} NOT NULL,
    ending {small} NOT NULL,
    status {small} NOT NULL,
    is_maybe_twice {small} NOT NULL,
    device_id {int},
    at {int} NOT NULL,
    why TEXT,
    apns_unique_id TEXT,
    PRIMARY KEY (sequence, number, position)
){keyed};
-- By the hour: what is written now stands together, however much there was before. A device is looked up in one hour after the other.
CREATE INDEX outcome_device ON outcome ((at / 3600000), device_id) WHERE device_id IS NOT NULL;

-- A recipient that is to be tried again.
CREATE TABLE waiting (
    sequence {int} NOT NULL,
    number {int} NOT NULL,
    position {small} NOT NULL,
    attempts {small} NOT NULL,
    due_at {int} NOT NULL,
    is_maybe_twice {small} NOT NULL,
    why TEXT,
    PRIMARY KEY (sequence, number, position)
){keyed};

-- A recipient that somebody should look at, until it is sent again or forgotten.
CREATE TABLE dead_letter (
    app_id {int} NOT NULL,
    sequence {int} NOT NULL,
    number {int} NOT NULL,
    position {small} NOT NULL,
    environment {small} NOT NULL,
    kind {small} NOT NULL,
    token {blob} NOT NULL,
    device_id {int},
    status {small} NOT NULL,
    why TEXT,
    at {int} NOT NULL,
    PRIMARY KEY (app_id, sequence, number, position)
){keyed};

-- The newest notification with a collapse ID for a device, or for a token that is no device here. Only those are in it that came while an
-- older one was not finished.
CREATE TABLE collapse (
    collapse {int} NOT NULL,
    -- The device, or a negative hash of the token.
    target {int} NOT NULL,
    sequence {int} NOT NULL,
    starts_at {int} NOT NULL,
    PRIMARY KEY (collapse, target)
){keyed};

-- What a request with this key was answered.
CREATE TABLE idempotency (
    id {row},
    app_id {int} NOT NULL,
    key TEXT NOT NULL,
    -- What was asked, as a hash.
    request {blob} NOT NULL,
    -- The notifications' IDs, one after the other.
    notifications {blob} NOT NULL,
    at {int} NOT NULL,
    UNIQUE (app_id, key)
){strict};

-- How many ended how in each minute.
CREATE TABLE recent (
    minute {int} NOT NULL,
    app_id {int} NOT NULL,
    ending {small} NOT NULL,
    status {small} NOT NULL,
    why TEXT NOT NULL,
    count {int} NOT NULL,
    PRIMARY KEY (minute, app_id, ending, status, why)
){keyed};
