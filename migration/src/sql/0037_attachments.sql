-- Files that belong to entries, or to drafts and what becomes of them. They are kept under the hash of their content in the private part of the blob
-- store. One that is taken away is hidden, and stays.

CREATE TABLE journal_attachment (
    id           uuid PRIMARY KEY,
    entry_id     uuid REFERENCES journal_entry (id),
    draft_id     uuid REFERENCES journal_draft (id),
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    media_type   text NOT NULL
                 CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png', 'image/webp', 'text/csv', 'text/plain')),
    byte_size    bigint NOT NULL CHECK (byte_size BETWEEN 1 AND 10485760),
    content_hash text COLLATE "C" NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    blob_key     text COLLATE "C" NOT NULL,
    created_at   timestamptz NOT NULL,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'system')),
    actor_id     uuid,
    actor_name   text NOT NULL,
    removed_at   timestamptz,
    CONSTRAINT journal_attachment_of_one CHECK ((entry_id IS NULL) <> (draft_id IS NULL))
);
CREATE INDEX journal_attachment_entry ON journal_attachment (entry_id, id) WHERE entry_id IS NOT NULL;
CREATE INDEX journal_attachment_draft ON journal_attachment (draft_id, id) WHERE draft_id IS NOT NULL;
CREATE TRIGGER journal_attachment_kept BEFORE DELETE OR TRUNCATE ON journal_attachment FOR EACH STATEMENT EXECUTE FUNCTION stays();
CREATE TRIGGER journal_attachment_begins BEFORE INSERT ON journal_attachment FOR EACH ROW WHEN (NEW.removed_at IS NOT NULL) EXECUTE FUNCTION stays();
-- It is taken away once, and is otherwise what it was.
CREATE TRIGGER journal_attachment_removed_once BEFORE UPDATE ON journal_attachment FOR EACH ROW
    WHEN (OLD.removed_at IS NOT NULL OR NEW.removed_at IS NULL
          OR (NEW.id, NEW.entry_id, NEW.draft_id, NEW.name, NEW.media_type, NEW.byte_size, NEW.content_hash, NEW.blob_key, NEW.created_at,
              NEW.actor_kind, NEW.actor_id, NEW.actor_name)
             IS DISTINCT FROM (OLD.id, OLD.entry_id, OLD.draft_id, OLD.name, OLD.media_type, OLD.byte_size, OLD.content_hash, OLD.blob_key,
                               OLD.created_at, OLD.actor_kind, OLD.actor_id, OLD.actor_name))
    EXECUTE FUNCTION stays();
