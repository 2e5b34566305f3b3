//! More of everything: servers without affinity, replicas to read from, a pooler in front of PostgreSQL.

mod pooler;
mod replicas;
mod servers;
