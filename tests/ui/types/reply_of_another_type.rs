use dms::prelude::*;

#[module]
struct Counter {
    count: u64,
}

#[module]
impl Counter {
    #[handler(Get)]
    fn get(&self) -> u64 {
        self.count
    }

    #[handler(Reset)]
    fn reset(&mut self) {
        self.count = 0;
    }
}

async fn ask(counter: ModuleRef<Counter>) -> Result<(), Box<dyn std::error::Error>> {
    let _count: String = counter.ask(Get).await?;
    counter.get(1).await?;
    Ok(())
}

fn main() {}
