-- What goldshop_readonly may read: every table and view of ours, but for those with passwords, tokens and answers that may
-- hold one. Executed as the owner or a superuser, when the server starts and after each `migration up`: a new table is
-- readable from then on, not before anybody has thought of it.
GRANT USAGE ON SCHEMA public TO goldshop_readonly;
SELECT format('GRANT SELECT ON public.%I TO goldshop_readonly', c.relname)
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
  AND pg_has_role(c.relowner, 'USAGE') AND c.relname NOT IN ('api_token', 'app_user', 'idempotency')
  AND NOT has_table_privilege('goldshop_readonly', c.oid, 'SELECT')
\gexec
