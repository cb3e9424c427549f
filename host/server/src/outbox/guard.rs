//! Where requests may go. Tenants name the addresses, so every address is checked when the connection is made: a name that leads
//! to the host's own network is refused, whatever it led to a moment before.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Settings;

/// A host that the operator allows, whatever its address, also without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its name or address.
    host: String,
    /// The port; none for every one.
    port: Option<u16>,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not HTTPS.
    #[error("requests leave over https only, not {0:?}")]
    Scheme(String),
    /// Another port.
    #[error("port {0} is not one that requests leave to")]
    Port(u16),
    /// An address of the host's own network, or of none.
    #[error("address {0} is not public")]
    Address(IpAddr),
    /// A name and password in the address: they would stand in the open.
    #[error("an address holds no name and password")]
    Credentials,
    /// No host.
    #[error("an address names a host")]
    NoHost,
}

impl Refused {
    /// The code for delivery logs.
    pub(super) fn code(&self) -> &'static str {
        "address_refused"
    }
}

/// Which client a request leaves through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To public addresses only.
    Public,
    /// To a host that the operator allows.
    Allowed,
}

/// A mail server, as its address names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
}

/// How a mail server is talked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Wrapped,
    /// TLS before anything is said.
    StartTls,
    /// In the open.
    Plain,
}

/// The ports that mail is handed in at.
const MAIL_PORTS: [u16; 4] = [25, 465, 587, 2525];

/// What the host's settings permit.
pub(super) struct Guard<'a>(&'a [Allowed]);

impl<'a> Guard<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self(&settings.allowed)
    }

    /// Whether a request may go to an address; names are checked again when they are resolved.
    pub(super) fn permits(&self, url: &Url) -> Result<Way, Refused> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().ok_or(Refused::NoHost)?;
        let port = url.port_or_known_default().ok_or_else(|| Refused::Scheme(url.scheme().to_owned()))?;
        match url.scheme() {
            "http" | "https" if self.allows(host, port) => return Ok(Way::Allowed),
            "https" => {}
            other => return Err(Refused::Scheme(other.to_owned())),
        }
        if port != 443 {
            return Err(Refused::Port(port));
        }
        match literal(host) {
            Some(address) if !is_public(address) => Err(Refused::Address(address)),
            _ => Ok(Way::Public),
        }
    }

    /// Whether mail may be handed in at a server.
    pub(super) fn permits_mail(&self, server: &MailServer) -> Result<(), Refused> {
        if self.allows(&server.host, server.port) {
            return Ok(());
        }
        if server.security == Security::Plain {
            return Err(Refused::Scheme("smtp-plain".to_owned()));
        }
        if !MAIL_PORTS.contains(&server.port) {
            return Err(Refused::Port(server.port));
        }
        match literal(&server.host) {
            Some(address) if !is_public(address) => Err(Refused::Address(address)),
            _ => Ok(()),
        }
    }

    /// An address of a mail server that may be connected to.
    pub(super) async fn mail_address(&self, server: &MailServer) -> Result<SocketAddr, std::io::Error> {
        self.permits_mail(server).map_err(std::io::Error::other)?;
        let host = server.host.trim_start_matches('[').trim_end_matches(']');
        let allowed = self.allows(&server.host, server.port);
        let found = tokio::net::lookup_host((host, server.port)).await?;
        let mut good = found.filter(|address| allowed || is_public(address.ip()));
        good.next().ok_or_else(|| std::io::Error::other("the name leads to no public address"))
    }

    fn allows(&self, host: &str, port: u16) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.host.eq_ignore_ascii_case(host) && allowed.port.is_none_or(|only| only == port))
    }
}

impl FromStr for Allowed {
    type Err = String;

    /// `host`, `host:port`; an IPv6 address in brackets.
    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, Some(port.parse().map_err(|_| format!("{text:?} is no host and port"))?))
            }
            _ => (text, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_name = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        if is_name || bare.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok()) {
            return Ok(Self { host: host.to_owned(), port });
        }
        Err(format!("{text:?} is no host: write a name, an address or [an IPv6 address], with :port where it matters"))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Leads names to public addresses only.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

impl PublicOnly {
    pub(super) fn shared() -> Arc<Self> {
        Arc::new(Self)
    }
}

/// Whether an address belongs to the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IPv4: everything but what the registry of special addresses takes out.
fn is_public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [([u8; 4], u32); 15] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    let bits = address.to_bits();
    SPECIAL.iter().all(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) != 0)
}

/// IPv6: only what is given out as global unicast (2000::/3), without the parts of it that lead elsewhere or nowhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    const SPECIAL: [([u16; 2], u32); 4] =
        [([0x2001, 0], 23), ([0x2001, 0x0db8], 32), ([0x2002, 0], 16), ([0x3fff, 0], 20)];
    let [a, b, ..] = address.segments();
    let head = u32::from(a) << 16 | u32::from(b);
    let special = |(network, length): &([u16; 2], u32)| {
        (head ^ (u32::from(network[0]) << 16 | u32::from(network[1]))) >> (32 - length) == 0
    };
    a >> 13 == 0b001 && !SPECIAL.iter().any(special)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(url: &str, allowed: &[&str]) -> Result<Way, Refused> {
        let allowed = allowed.iter().map(|text| text.parse().unwrap()).collect();
        let settings = Settings { allowed, allow_simulated: false };
        Guard::new(&settings).permits(&Url::parse(url).unwrap())
    }

    #[test]
    fn no_range_that_is_not_public_is_reached_at_either_end() {
        let denied = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in denied {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        let public = [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1",
            "3ffe::1",
            "3fff:1000::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn requests_leave_over_https_to_public_addresses_and_to_what_the_operator_allows() {
        assert_eq!(permits("https://pay.example/refunds", &[]), Ok(Way::Public));
        assert_eq!(permits("https://8.8.8.8/", &[]), Ok(Way::Public));
        assert_eq!(permits("http://pay.example/", &[]), Err(Refused::Scheme("http".into())));
        assert_eq!(permits("ftp://pay.example/", &[]), Err(Refused::Scheme("ftp".into())));
        assert_eq!(permits("https://pay.example:8443/", &[]), Err(Refused::Port(8443)));
        assert_eq!(permits("https://user:pass@pay.example/", &[]), Err(Refused::Credentials));
        // Whatever way a loopback address is written.
        for host in ["127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1"] {
            let refused = permits(&format!("https://{host}/"), &[]);
            assert_eq!(refused, Err(Refused::Address(Ipv4Addr::LOCALHOST.into())), "{host}");
        }
        assert!(matches!(permits("https://[::1]/", &[]), Err(Refused::Address(_))));
        assert!(matches!(permits("https://[::ffff:169.254.169.254]/", &[]), Err(Refused::Address(_))));
        assert_eq!(permits("http://127.0.0.1:9000/x", &["127.0.0.1:9000"]), Ok(Way::Allowed));
        assert!(permits("http://127.0.0.1:9001/x", &["127.0.0.1:9000"]).is_err(), "another port is not allowed");
        assert_eq!(permits("http://erp.intranet:81/x", &["ERP.intranet"]), Ok(Way::Allowed));
        assert!(permits("http://erp.intranet.example/x", &["erp.intranet"]).is_err());
        assert_eq!(permits("http://[::1]:9000/", &["[::1]:9000"]), Ok(Way::Allowed));
        assert!(
            "a b".parse::<Allowed>().is_err() && "".parse::<Allowed>().is_err() && "h:x".parse::<Allowed>().is_err()
        );
    }

    #[test]
    fn a_name_that_leads_home_is_refused_when_it_is_resolved() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let resolved = runtime.block_on(PublicOnly.resolve("localhost".parse().unwrap()));
        assert!(resolved.is_err(), "localhost leads to this machine");
    }
}
