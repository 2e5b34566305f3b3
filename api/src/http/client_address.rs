//! Who is really calling: the client's address behind a known number of reverse proxies.

use std::net::{IpAddr, SocketAddr};

use poem::http::HeaderMap;

/// The client's address. Each trusted proxy appended one entry to `X-Forwarded-For`, so the client is the entry
/// that many places from the right; whatever a client wrote itself stands further left and is never looked at.
///
/// A shorter or unreadable list means that not all proxies were passed: the address nearest to us that is
/// certain is used.
pub(crate) fn client_address(
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    trusted_hops: usize,
) -> Option<IpAddr> {
    let entries = headers
        .get_all("x-forwarded-for")
        .iter()
        .rev()
        .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
    entries
        .take(trusted_hops)
        .map_while(parse_address)
        .last()
        .or(peer)
}

fn parse_address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = || text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare()
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(forwarded: &[&str], hops: usize) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client_address(&headers, Some(IpAddr::from([10, 0, 0, 1])), hops)
            .unwrap()
            .to_string()
    }

    #[test]
    fn without_trusted_proxies_the_header_is_ignored() {
        assert_eq!(client(&["1.2.3.4"], 0), "10.0.0.1");
    }

    #[test]
    fn one_proxy_means_the_last_entry() {
        assert_eq!(client(&["6.6.6.6, 1.2.3.4"], 1), "1.2.3.4");
    }

    #[test]
    fn hops_are_counted_across_several_headers() {
        assert_eq!(client(&["6.6.6.6, 1.2.3.4", "10.0.0.9"], 2), "1.2.3.4");
    }

    #[test]
    fn a_short_list_gives_the_farthest_certain_address() {
        assert_eq!(client(&[], 2), "10.0.0.1");
        assert_eq!(client(&["1.2.3.4"], 2), "1.2.3.4");
    }

    #[test]
    fn rubbish_never_reaches_beyond_itself() {
        assert_eq!(client(&["6.6.6.6, junk, 10.0.0.9"], 3), "10.0.0.9");
        assert_eq!(client(&["6.6.6.6, junk"], 2), "10.0.0.1");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        assert_eq!(client(&["1.2.3.4:5678"], 1), "1.2.3.4");
        assert_eq!(client(&["[2001:db8::1]:443"], 1), "2001:db8::1");
        assert_eq!(client(&["[2001:db8::1]"], 1), "2001:db8::1");
        assert_eq!(client(&["::ffff:1.2.3.4"], 1), "1.2.3.4");
    }
}
