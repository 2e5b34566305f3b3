//! What a viewer may do. A permission is asked for in the use case, never in a resolver.

use std::{collections::BTreeSet, fmt};

macro_rules! permissions {
    ($($(#[$doc:meta])+ $name:ident = $code:literal),+ $(,)?) => {
        /// One thing that a viewer may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission { $($(#[$doc])+ $name),+ }

        impl Permission {
            /// Every permission there is.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The stable text that roles and tokens hold.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    };
}

permissions! {
    /// See who changed what, and when.
    AuditRead = "audit.read",
    /// Have backups made and proved.
    BackupManage = "backup.manage",
    /// See backups.
    BackupRead = "backup.read",
    /// Change the chart of accounts, begin fiscal years, and have the books verified.
    BooksManage = "books.manage",
    /// Post entries to the books, and reverse them.
    BooksPost = "books.post",
    /// See the books.
    BooksRead = "books.read",
    /// See categories, items and units.
    CatalogueRead = "catalogue.read",
    /// Change categories and items.
    CatalogueWrite = "catalogue.write",
    /// See what goods have cost.
    CostRead = "cost.read",
    /// See background jobs.
    JobRead = "job.read",
    /// Steer background jobs.
    JobManage = "job.manage",
    /// Change stock locations.
    LocationWrite = "location.write",
    /// Close periods of the books and of stock, and open them again.
    PeriodClose = "period.close",
    /// Record metal rates.
    PricingWrite = "pricing.write",
    /// Say how long things are kept, clear them up, and have everything held.
    RetentionManage = "retention.manage",
    /// Change what is said once for the whole shop, such as its currency.
    ShopManage = "shop.manage",
    /// Approve counts of stock.
    StockApprove = "stock.approve",
    /// See locations, and what lies in them.
    StockRead = "stock.read",
    /// Move stock.
    StockWrite = "stock.write",
    /// See users and roles.
    UserRead = "user.read",
    /// Create users, give them roles, disable them.
    UserManage = "user.manage",
}

impl Permission {
    /// The permission with this code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.code() == code)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What somebody may do altogether.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// All there are.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// From the codes that roles and tokens hold: `*` is all, and a code that no longer means anything grants nothing.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        codes.into_iter().fold(Self::default(), |mut all, code| {
            if code == "*" {
                return Self::all();
            }
            all.0.extend(Permission::from_code(code));
            all
        })
    }

    /// Whether `permission` is among them.
    #[must_use]
    pub fn contains(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// What both hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// In a stable order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, Permissions};

    #[test]
    fn codes_lead_back_to_their_permission() {
        for permission in Permission::ALL {
            assert_eq!(Permission::from_code(permission.code()), Some(*permission));
        }
    }

    #[test]
    fn a_star_is_everything_and_an_unknown_code_is_nothing() {
        assert_eq!(
            Permissions::from_codes(["catalogue.read", "*"]),
            Permissions::all()
        );
        assert_eq!(Permissions::from_codes(["no.such"]), Permissions::default());
    }
}
