//! The provider as a process of its own, for development and for tests that kill it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use redress::clock::SystemClock;
use redress_tests::provider::{Options, Provider};
use rust_decimal::Decimal;

/// A provider of payments, stock and messages to try Redress on.
///
/// It verifies signatures, acts once for each key, and remembers what it did. `GET /stats` counts calls, keys, effects, repeated
/// calls and the money that left; `GET /effects` lists them by key.
#[derive(Debug, Parser)]
#[command(name = "redress-provider")]
struct Args {
    /// Where to listen; port 0 takes a free one, which is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What requests are signed with: `whsec_` and base64.
    #[arg(long, env = "REDRESS_PROVIDER_SECRET", hide_env_values = true)]
    secret: String,
    /// The file that it writes down in what it does.
    #[arg(long)]
    book: PathBuf,
    /// Act, and lose every nth answer.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    lose_every: Option<u64>,
    /// How long it thinks after it has acted, in milliseconds.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Answer so many first calls of each key with 202, and the outcome to those that follow.
    #[arg(long, default_value_t = 0)]
    later: u64,
    /// Decline refunds of more than this.
    #[arg(long)]
    decline_above: Option<Decimal>,
    /// Act on every call, as a provider that knows no keys.
    #[arg(long)]
    forgetful: bool,
    /// What it answers beside the outcome, as JSON, where a workflow asks for something.
    #[arg(long, value_name = "JSON")]
    answer: Option<serde_json::Value>,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "whoever starts it reads the address")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let options = Options {
        listen: args.listen,
        secret: args.secret,
        book: args.book,
        lose_every: args.lose_every,
        delay: Duration::from_millis(args.delay_ms),
        later: args.later,
        decline_above: args.decline_above,
        forgetful: args.forgetful,
        answer: args.answer,
    };
    let provider = Provider::start(options, Arc::new(SystemClock)).await?;
    println!("http://{}", provider.address());
    provider.serve().await
}
