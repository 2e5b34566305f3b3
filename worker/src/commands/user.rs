//! `worker user create`: the first user of a shop, whom nobody could create through the front door.

use std::io::Read as _;

use clap::{Args, Subcommand};
use domain::{
    Viewer,
    locale::Locale,
    user::{NewUser, PasswordRules},
};
use platform::config::{Config, SecretString};
use worker::service::{StartError, context};

use super::say_login;

/// Longest password taken from the standard input, in bytes.
const PASSWORD_MAX: u64 = 1024;

/// What is to be done with users.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a user. The password is read from the standard input: a command line can be seen by others.
    Create {
        /// Login name.
        #[arg(long)]
        email: String,
        /// What others see.
        #[arg(long)]
        name: String,
        /// Code of a role: `owner`, `manager` or `clerk`.
        #[arg(long, default_value = "owner")]
        role: String,
        /// Language of the messages they get: `en` or `fa`.
        #[arg(long, default_value = "en")]
        locale: String,
    },
}

/// Does it.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<(), StartError> {
    let Command::Create {
        email,
        name,
        role,
        locale,
    } = arguments.command;
    let locale: Locale = locale
        .parse()
        .map_err(|()| format!("{locale:?} is not a language that goldshop speaks"))?;
    let new = NewUser {
        email,
        display_name: name,
        password: read_password()?,
        locale,
        roles: vec![role],
    };
    let rules = PasswordRules {
        min_length: config.auth.password_min_length,
    };
    let user = context(config)?
        .domain
        .users()
        .bootstrap(&Viewer::system("command line"), new, rules)
        .await?;
    say_login(&user);
    Ok(())
}

fn read_password() -> Result<SecretString, StartError> {
    let mut password = String::new();
    std::io::stdin()
        .take(PASSWORD_MAX)
        .read_to_string(&mut password)?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned().into())
}
