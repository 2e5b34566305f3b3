-- Transfers: goods that are asked for by one place, taken from another, on their way for a while, and received in part or with some missing.

CREATE TABLE stock_transfer (
    id               uuid PRIMARY KEY,
    number           bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT stock_transfer_number_unique UNIQUE,
    state            text NOT NULL CHECK (state IN ('requested', 'picked', 'in_transit', 'received', 'cancelled')),
    from_location_id uuid NOT NULL REFERENCES location (id),
    to_location_id   uuid NOT NULL REFERENCES location (id),
    document         text CHECK (length(document) BETWEEN 1 AND 200),
    note             text CHECK (length(note) BETWEEN 1 AND 2000),
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT stock_transfer_goes_elsewhere CHECK (from_location_id <> to_location_id)
);
-- Those that somebody has still to do something about.
CREATE INDEX stock_transfer_open ON stock_transfer (id) WHERE state IN ('requested', 'picked', 'in_transit');
CREATE INDEX stock_transfer_from ON stock_transfer (from_location_id, id);
CREATE INDEX stock_transfer_to ON stock_transfer (to_location_id, id);

CREATE TABLE stock_transfer_line (
    transfer_id     uuid NOT NULL REFERENCES stock_transfer (id),
    line            integer NOT NULL CHECK (line BETWEEN 1 AND 1000),
    item_id         uuid NOT NULL REFERENCES item (id),
    -- Known at the latest when it is picked, where the item has lots.
    lot_id          uuid REFERENCES lot (id),
    requested       numeric(19, 6) NOT NULL CHECK (requested > 0),
    picked          numeric(19, 6) NOT NULL DEFAULT 0 CHECK (picked >= 0 AND picked <= requested),
    -- What holds it from picking to sending.
    reservation_id  uuid REFERENCES stock_reservation (id),
    sent            numeric(19, 6) NOT NULL DEFAULT 0 CHECK (sent IN (0, picked)),
    sent_weight     numeric(19, 6) NOT NULL DEFAULT 0 CHECK (sent_weight >= 0),
    received        numeric(19, 6) NOT NULL DEFAULT 0 CHECK (received >= 0),
    received_weight numeric(19, 6) NOT NULL DEFAULT 0 CHECK (received_weight >= 0),
    -- What was sent and did not arrive.
    missing         numeric(19, 6) NOT NULL DEFAULT 0 CHECK (missing >= 0),
    PRIMARY KEY (transfer_id, line),
    CONSTRAINT stock_transfer_line_arrives CHECK (received + missing <= sent)
);
CREATE TRIGGER stock_transfer_kept BEFORE DELETE OR TRUNCATE ON stock_transfer FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER stock_transfer_line_kept BEFORE DELETE OR TRUNCATE ON stock_transfer_line FOR EACH STATEMENT EXECUTE FUNCTION stays();
