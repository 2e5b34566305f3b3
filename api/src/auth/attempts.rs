//! Slows down those who guess passwords: at one name from one address, and at any names from one address.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::{Code, Error, Refusal, Result};
use platform::{
    config,
    redis::Redis,
    throttle::{Attempt, Attempted, Reservation, Throttle},
};

use super::login::redis_fault;

/// So many more wrong passwords are taken from one address than for one name from it: a whole shop may stand behind one address.
const NAMES_PER_ADDRESS: u32 = 20;

/// Counts wrong passwords.
pub(super) struct Attempts {
    at_name: Throttle,
    from_address: Throttle,
}

/// An attempt that may be made, counted in both ways.
struct Admitted {
    at_name: (Attempted, Reservation),
    from_address: (Attempted, Reservation),
}

impl Attempts {
    pub(super) fn new(redis: Redis, settings: &config::Auth) -> Self {
        let login_attempts = settings.login_attempts.saturating_mul(NAMES_PER_ADDRESS);
        let of_address = config::Auth {
            login_attempts,
            ..settings.clone()
        };
        Self {
            at_name: Throttle::new(redis.clone(), settings),
            from_address: Throttle::new(redis, &of_address),
        }
    }

    /// Makes one attempt at `name`. Only [`Code::InvalidCredentials`] counts against the address and the name, and so does an attempt
    /// that is given up half-way.
    ///
    /// What the attempt gives stands, for it may have changed something already: when Redis does not take back the count, one attempt too
    /// many is counted until the window ends.
    ///
    /// # Errors
    /// [`Code::Throttled`] instead of an attempt when there were too many, and whatever the attempt gives.
    pub(super) async fn make<T>(
        &self,
        name: &str,
        address: IpAddr,
        now: DateTime<Utc>,
        attempt: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let admitted = self.admit(name, address, now).await?;
        let result = attempt.await;
        let counted = match &result {
            Ok(_) => self.succeeded(admitted).await,
            Err(error) if is_wrong(error) => Ok(()),
            Err(_) => self.release(admitted).await,
        };
        if let Err(error) = counted {
            tracing::warn!(%error, "an attempt that was not wrong stays counted");
        }
        result
    }

    async fn admit(&self, name: &str, address: IpAddr, now: DateTime<Utc>) -> Result<Admitted> {
        // No login has an empty name, so this key is the address's own.
        let anybody = Attempted::login("", address);
        let from_address = (
            anybody.clone(),
            reserve(&self.from_address, &anybody, now).await?,
        );
        let attempted = Attempted::login(name, address);
        match reserve(&self.at_name, &attempted, now).await {
            Ok(reservation) => Ok(Admitted {
                at_name: (attempted, reservation),
                from_address,
            }),
            Err(error) => {
                release(&self.from_address, from_address).await?;
                Err(error)
            }
        }
    }

    /// Who knows one password may still be guessing others: only the name's count begins afresh.
    async fn succeeded(&self, admitted: Admitted) -> Result<()> {
        self.at_name
            .reset(&admitted.at_name.0)
            .await
            .map_err(redis_fault)?;
        release(&self.from_address, admitted.from_address).await
    }

    async fn release(&self, admitted: Admitted) -> Result<()> {
        release(&self.at_name, admitted.at_name).await?;
        release(&self.from_address, admitted.from_address).await
    }
}

async fn reserve(
    throttle: &Throttle,
    attempted: &Attempted,
    now: DateTime<Utc>,
) -> Result<Reservation> {
    match throttle
        .reserve(attempted, now)
        .await
        .map_err(redis_fault)?
    {
        Attempt::Allowed(reservation) => Ok(reservation),
        Attempt::Refused { retry_after } => {
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            Err(Refusal::new(Code::Throttled, "")
                .with("seconds", seconds)
                .into())
        }
    }
}

async fn release(
    throttle: &Throttle,
    (attempted, reservation): (Attempted, Reservation),
) -> Result<()> {
    throttle
        .release(&attempted, reservation)
        .await
        .map_err(redis_fault)
}

fn is_wrong(error: &Error) -> bool {
    matches!(error, Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == Code::InvalidCredentials))
}
