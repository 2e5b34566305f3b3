//! Who may see what a program counts: how much a shop has and how busy it is are nobody else's business.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{
    Deserialize, Serialize, Serializer,
    de::{Deserializer, Error},
};

/// Networks whose machines may see it. Nobody else may, and nobody whose address is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted(Vec<IpNet>);

impl Trusted {
    /// Whether a client with this address may see it.
    #[must_use]
    pub fn admits(&self, client: Option<IpAddr>) -> bool {
        let client = client.map(|address| address.to_canonical());
        client.is_some_and(|client| self.0.iter().any(|network| network.contains(&client)))
    }
}

impl Default for Trusted {
    /// The machine itself.
    fn default() -> Self {
        Self(vec![
            IpNet::new_assert(IpAddr::from([127, 0, 0, 0]), 8),
            IpNet::new_assert(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128),
        ])
    }
}

impl<'de> Deserialize<'de> for Trusted {
    /// From a list such as `["127.0.0.0/8", "10.1.2.3"]`; an address alone is a network of one machine.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let given = Vec::<String>::deserialize(input)?;
        let networks = given.iter().map(|text| {
            let network = text.parse::<IpNet>().ok();
            let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
            network.or_else(one).ok_or_else(|| {
                Error::custom(format!(
                    "must be networks such as 10.1.0.0/16 or addresses, not `{text}`"
                ))
            })
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Trusted {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_seq(self.0.iter().map(ToString::to_string))
    }
}
