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

    #[handler(Print)]
    fn print(&mut self, text: &str) -> usize {
        text.len()
    }

    #[handler(Halt)]
    fn stop(&mut self) -> u64 {
        self.count
    }
}

// Only the mistakes above are reported, though all of this refers to what could not be generated in full.
async fn use_it(system: System) -> Result<(), Box<dyn std::error::Error>> {
    let counter: ModuleRef<Counter> = system.register_module(Counter { count: 0 }).await?;
    let count: u64 = counter.get().await?;
    let length: usize = counter.print("text").await?;
    let last: u64 = counter.ask(Halt).await?;
    counter.send(Print { text: "text" }).await?;
    println!("{count} {length} {last}");
    Ok(())
}

fn main() {}
