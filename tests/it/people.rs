//! People: logins, sessions, passwords, roles and API tokens.

mod logins;
mod passwords;
mod roles;
mod support;
mod tokens;
