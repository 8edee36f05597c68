#[module]
struct Cache<T> {
    values: Vec<T>,
}

#[module]
impl<T: Serialize + DeserializeOwned> Cache<T> {
    /// The values as they lie here.
    #[snapshot]
    fn keep(&self) -> &[T] {
        &self.values
    }

    #[restore]
    async fn restore(
        &mut self,
        values: Vec<T>,
        from: Version,
        ctx: &mut Context<Self>,
    ) -> Result<(), ModuleError> {
        self.values = values;
        Ok(())
    }
}

#[module]
struct Ledger {
    sum: u64,
}

#[module]
impl Ledger {
    #[cfg(feature = "ledger")]
    #[snapshot]
    fn snapshot(&self) -> Result<u64, Open> {
        Ok(self.sum)
    }

    #[restore]
    fn restore(&mut self, sum: u64, from: Version) {
        self.sum = sum;
    }
}
