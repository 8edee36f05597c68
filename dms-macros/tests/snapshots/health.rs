#[module(version = "0.1.0", restart = on_failure)]
pub struct Disk {
    free: u64,
}

#[module]
impl Disk {
    /// Asks the drive.
    #[health(every = "30s", timeout = "1s", failures = 5, successes = 1)]
    async fn check(&mut self, ctx: &mut Context<Self>) -> Result<HealthStatus, ModuleError> {
        Ok(HealthStatus::Healthy)
    }

    #[handler(Free)]
    fn free(&self) -> u64 {
        self.free
    }
}

#[module(version = "0.1.0")]
pub struct Link;

#[module]
impl Link {
    #[cfg(unix)]
    #[health]
    fn health(&self) -> bool {
        true
    }

    #[cfg(not(unix))]
    #[health(every = "1m")]
    fn probe(&self) -> bool {
        true
    }
}
