//! TLS for what goes out: one provider of cryptography for the whole process.

use rustls::crypto::ring;

/// A client that goes where it is sent and nowhere else: no redirects, no proxies of the environment.
pub fn client() -> reqwest::ClientBuilder {
    // The second call finds it installed, which is as good.
    drop(ring::default_provider().install_default());
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy()
}
