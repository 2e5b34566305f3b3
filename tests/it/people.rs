//! People: logins, sessions, passwords, roles and API tokens.

mod command_line;
mod logins;
mod passwords;
mod roles;
mod support;
mod tokens;
