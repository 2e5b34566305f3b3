//! The command line: what an operator can ask for.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod backups;
pub(crate) mod days;
pub(crate) mod demo;
pub(crate) mod health;
pub(crate) mod images;
pub(crate) mod jobs;
pub(crate) mod ledger;
pub(crate) mod queues;
pub(crate) mod retention;
pub(crate) mod schedules;
mod table;
pub(crate) mod tell;
pub(crate) mod user;

use std::{fmt, process::ExitCode};

use clap::Subcommand;
use domain::user::Bootstrapped;
use platform::{config::Config, shutdown};
use worker::service::{Service, StartError};

/// What is to be done.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Do background work until told to stop. This is also what happens without a command.
    Run,
    /// Make the days of time series anew. There is no need to, unless a proof (`stockReconcile`) has found them wrong.
    Days,
    /// Load the demo shop. What is there already stays as it is, also where people have changed it.
    Demo(demo::Arguments),
    /// Make the key that signs checkpoints of the trail, where the settings say, if there is none.
    AuditKey,
    /// Prove that nothing was changed behind the trail's back, and name the first row that was.
    AuditVerify(audit::Arguments),
    /// Say what a shell needs to complete commands, for a file that it reads when it starts.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Look after pictures of items.
    Images(images::Arguments),
    /// Look after background jobs.
    Jobs(jobs::Arguments),
    /// Look after the queues of background jobs.
    Queues(queues::Arguments),
    /// Say whether the worker of this machine is at work, by the exit status.
    Healthcheck,
    /// Prove that the books are what their lines make them, and name what is not.
    LedgerVerify,
    /// Clear up what is older than the policies say, or only look what would go.
    Retention(retention::Arguments),
    /// See what is done by itself, and let it rest, go on, or be done now.
    Schedules(schedules::Arguments),
    /// Make a backup of everything, without waiting for a worker.
    Backup(backup::BackupArguments),
    /// List backups, here or in the store that has their copies.
    Backups(backups::Arguments),
    /// Get a backup back, or a part of it.
    Restore(backup::RestoreArguments),
    /// Prove that a backup can be restored, and is what was there.
    Verify(backup::VerifyArguments),
    /// Create users.
    User(user::Arguments),
}

/// Works until a signal.
pub(crate) async fn work(config: &Config) -> Result<(), StartError> {
    let stop = shutdown::on_signal()?;
    Service::new(config)?.run(stop).await
}

/// The exit status of what was refused: it will not go better another time. 1 is for what went wrong, and 2 for arguments that cannot be
/// understood.
const REFUSED: u8 = 3;

/// An error with an exit code of its own: 3 for what was not done because something is in the way, 4 for a backup that is not sound and for what was
/// cancelled. All others
/// end with 1, and a command line that cannot be understood with 2.
#[derive(Debug)]
pub(crate) struct Exit {
    code: u8,
    why: String,
}

impl Exit {
    fn boxed(code: u8, why: String) -> StartError {
        Self { code, why }.into()
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Exit {}

/// One line that says why.
#[expect(clippy::print_stderr, reason = "this is a command line program")]
pub(crate) fn fail(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    if let Some(error @ domain::Error::Refused(_)) = error.downcast_ref() {
        return refused("", error);
    }
    eprintln!("worker: {error}");
    let exit = error.downcast_ref::<Exit>();
    exit.map_or(ExitCode::FAILURE, |exit| exit.code.into())
}

/// A line for each reason why something was refused.
#[expect(clippy::print_stderr, reason = "this is a command line program")]
pub(crate) fn refused(what: &str, error: &domain::Error) -> ExitCode {
    if let domain::Error::Refused(refusals) = error {
        for refusal in refusals {
            let params = refusal.params.iter();
            let params: Vec<_> = params
                .map(|(name, value)| format!("{name} {value:?}"))
                .collect();
            let (code, path) = (refusal.code.as_str(), refusal.path.join("."));
            eprintln!("worker: {what}{code} {path} {}", params.join(", "));
        }
    }
    ExitCode::from(REFUSED)
}

/// What a shell needs to complete commands.
pub(crate) fn complete(shell: clap_complete::Shell, command: &mut clap::Command) {
    clap_complete::generate(shell, command, "worker", &mut std::io::stdout());
}

/// One line for the operator.
#[expect(clippy::print_stdout, reason = "this is a command line program")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// Who can log in now, and with which password.
pub(crate) fn say_login(user: &Bootstrapped) {
    match user {
        Bootstrapped::Created(user) => say(&format!("login: {}", user.email)),
        Bootstrapped::Existed(user) => {
            say(&format!("login: {}", user.email));
            say("this user exists already; the password is unchanged");
        }
    }
}
