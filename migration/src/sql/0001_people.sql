-- Users, roles and API tokens.

CREATE TABLE app_user (
    id                 uuid PRIMARY KEY,
    email              text NOT NULL CONSTRAINT user_email_unique UNIQUE
                       CONSTRAINT user_email_lower CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    display_name       text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 200),
    password_hash      text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
    -- Counts passwords. A session that was begun with an earlier one opens nothing.
    credential_version integer NOT NULL DEFAULT 1,
    locale             text NOT NULL DEFAULT 'en',
    disabled_at        timestamptz,
    version            bigint NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);

CREATE TABLE role (
    id          uuid PRIMARY KEY,
    code        text NOT NULL CONSTRAINT role_code_unique UNIQUE,
    name        jsonb NOT NULL,
    permissions text[] NOT NULL
);

CREATE TABLE user_role (
    user_id uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    role_id uuid NOT NULL REFERENCES role (id),
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_role_role ON user_role (role_id);

CREATE TABLE api_token (
    id          uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    token_hash  bytea NOT NULL CONSTRAINT api_token_hash_unique UNIQUE CHECK (length(token_hash) = 32),
    permissions text[] NOT NULL,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    created_at  timestamptz NOT NULL
);
CREATE INDEX api_token_user ON api_token (user_id, id);

INSERT INTO role (id, code, name, permissions) VALUES
    ('01930000-0000-7000-8000-000000000001', 'owner',   '{"en": "Owner", "fa": "مالک"}', '{*}'),
    ('01930000-0000-7000-8000-000000000002', 'manager', '{"en": "Manager", "fa": "مدیر"}',
        '{catalogue.read,catalogue.write,job.read,job.manage,user.read}'),
    ('01930000-0000-7000-8000-000000000003', 'clerk',   '{"en": "Clerk", "fa": "فروشنده"}',
        '{catalogue.read,job.read}');
