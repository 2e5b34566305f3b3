-- Why the role $1 cannot be the application's; NULL when it can. It must be nobody's but its own, and own nothing.
SELECT CASE
    WHEN r.oid IS NULL THEN 'does not exist; whoever administers the cluster creates it'
    WHEN r.rolname = current_user THEN 'is the one that migrates, and owns what it makes'
    WHEN r.rolsuper THEN 'is a superuser'
    WHEN r.rolcreaterole THEN 'may create roles'
    WHEN r.rolcreatedb THEN 'may create databases'
    WHEN r.rolreplication THEN 'may replicate'
    WHEN r.rolbypassrls THEN 'bypasses row security'
    WHEN EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
        THEN 'is a member of another role, and may do what that one may'
    WHEN EXISTS (
        SELECT FROM pg_shdepend d
        WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'
          AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ) THEN 'owns something here'
END
FROM (SELECT $1::text AS name) asked LEFT JOIN pg_roles r ON r.rolname = asked.name
