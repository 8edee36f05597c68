/// Counts things.
///
/// One by one.
#[module(
    name = "counter",
    version = "1.2.0",
    author = "Ada Lovelace",
    license = "MIT",
    flags(ESSENTIAL, DRIVER, user(3)),
    depends("store", "cache >= 1.3", optional("metrics", "trace ^2")),
    provides("count", "metrics.sink"),
    mailbox = 64,
    overflow = reject,
    timeout = "1m 30s",
    restart = on_failure,
    max_restarts = 5,
    within = "60s",
    backoff = "100ms..30s",
    strategy = rest_for_one
)]
#[derive(Default)]
pub struct Counter {
    count: u64,
}

#[module(visibility = "pub(crate)")]
#[allow(clippy::similar_names)]
impl Counter {
    const START: u64 = 0;

    pub fn new() -> Self {
        Self { count: Self::START }
    }

    /// The argument's type is the message. See [`Self::get`].
    #[handler]
    async fn add(&mut self, Add(n): Add) {
        self.count += n;
    }

    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    #[cfg(feature = "scale")]
    #[deprecated(note = "use `add`")]
    #[handler(Scale, derive(Clone, Debug))]
    async fn scale(
        &mut self,
        /// The factor.
        by: u64,
        offset: u64,
        ctx: &mut Context<Self>,
    ) -> Result<u64, Overflow> {
        self.count = self.count * by + offset;
        Ok(self.count)
    }

    /// Says how far it has come.
    #[tick(every = "250ms")]
    async fn report(&mut self) {}

    #[init]
    async fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        Ok(())
    }

    #[start]
    fn begin(&self) {}

    #[stop]
    async fn stop(&mut self) {}
}
