-- goldshop's roles and database. Executed by a superuser whenever the server starts (postgres/entrypoint.sh), and when
-- passwords change (scripts/rotate-secrets.sh): what is there is left, passwords are set to what the files say.
--
--   goldshop_user      owns the database, migrates it and restores it, for which it makes databases
--   goldshop_app       api and worker: reads and writes rows, owns nothing; what it may do is granted by `migration up`
--   goldshop_readonly  people with reports of their own: reads everything but secrets of people
--   goldshop_backup    reads everything, and makes databases to prove backups in
--
-- Variables: secrets, the folder of the files with passwords.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\setenv SECRETS :secrets
\set owner_password `tr -d '\r\n' < "$SECRETS/db_password"`
\set app_password `tr -d '\r\n' < "$SECRETS/db_app_password"`
\set readonly_password `tr -d '\r\n' < "$SECRETS/db_readonly_password"`
\set backup_password `tr -d '\r\n' < "$SECRETS/db_backup_password"`

-- Whatever log_min_duration_statement says: there are passwords here.
SET log_min_duration_statement = -1;
SET log_statement = 'none';

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest('{goldshop_user,goldshop_app,goldshop_readonly,goldshop_backup}'::text[]) name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE goldshop_user LOGIN NOSUPERUSER CREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE goldshop_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
ALTER ROLE goldshop_readonly LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'readonly_password';
ALTER ROLE goldshop_backup LOGIN NOSUPERUSER CREATEDB NOCREATEROLE PASSWORD :'backup_password';

-- The owner sees and ends the application's connections, and what everybody is doing.
GRANT goldshop_app, pg_monitor TO goldshop_user;
GRANT pg_read_all_data TO goldshop_backup;
ALTER ROLE goldshop_readonly SET default_transaction_read_only = on;
ALTER ROLE goldshop_readonly SET statement_timeout = '60s';

SELECT 'CREATE DATABASE goldshop OWNER goldshop_user'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'goldshop') \gexec

GRANT CONNECT ON DATABASE goldshop TO goldshop_backup, goldshop_readonly;

\connect goldshop
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
\ir readonly.sql
