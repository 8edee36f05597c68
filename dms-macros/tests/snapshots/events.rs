#[module(version = "0.1.0")]
pub struct Cache {
    entries: Vec<u8>,
}

#[module]
impl Cache {
    #[event]
    async fn on_pressure(&mut self, event: &MemoryPressure, ctx: &mut Context<Self>) -> EventResponse {
        self.entries.clear();
        EventResponse::Handled
    }

    /// Something was flushed.
    #[cfg(unix)]
    #[event(custom = "cache.flushed", buffer = 64)]
    fn on_flushed(&mut self, Custom { data, .. }: &Custom) -> Result<(), ModuleError> {
        self.entries.extend(data);
        Ok(())
    }
}
