//! Modules that say what they are and what they need; the system starts them in order, gives them their settings, and reaches them by name.
//!
//! ```sh
//! cargo run -p dms-examples --bin managed
//! ```
//!
//! This is a program of the README. It prints
//!
//! ```text
//! stock 1.3.0: Keeps what is in stock.
//! shop 0.2.0: Sells tea.
//! till 0.1.0: Adds up what is sold.
//! left: 8
//! left: 7
//! module `stock` was not stopped: `shop` depends on it; stop them first, or all of them with `.with_dependents()`
//! module `stock` has no remote handler `steal`; it has: take
//! 2 sold
//! ```

use dms::Config;
use dms::event::Shutdown;
use dms::prelude::*;

/// Keeps what is in stock.
#[module(name = "stock", version = "1.3.0", provides("inventory"))]
#[derive(Default)]
struct Stock {
    tea: u32,
}

#[module]
impl Stock {
    #[init]
    fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.tea = ctx.config_value("tea")?; // of the section `[stock]`
        Ok(())
    }

    /// `remote`: reached by its name too, with bytes.
    #[handler(Take, remote)]
    fn take(&mut self, count: u32) -> Option<u32> {
        self.tea = self.tea.checked_sub(count)?;
        Some(self.tea)
    }
}

/// Sells tea.
#[module(name = "shop", version = "0.2.0", depends("inventory >= 1.2", optional("ads")))]
#[derive(Default)]
struct Shop {
    stock: Option<ModuleRef<Stock>>,
}

/// An event is any type that is `Send + Sync + 'static`.
struct Sold {
    count: u32,
}

#[module]
impl Shop {
    #[init]
    fn init(&mut self, ctx: &mut Context<Self>) -> Result<(), ModuleError> {
        self.stock = Some(ctx.dependency::<Stock>()?); // it has had its `init`, and answers
        Ok(())
    }

    #[handler(Sell)]
    async fn sell(&mut self, count: u32, ctx: &mut Context<Self>) -> Result<u32, ModuleError> {
        let stock = self.stock.as_ref().ok_or("not started")?;
        let left = stock.take(count).await?.ok_or("too little is in stock")?;
        ctx.publish(Sold { count }).await; // all have handled it; without `await` it is on its way
        Ok(left)
    }
}

/// Adds up what is sold.
#[module(name = "till")]
#[derive(Default)]
struct Till {
    sold: u32,
}

#[module]
impl Till {
    #[event]
    fn on_sold(&mut self, sold: &Sold) {
        self.sold += sold.count;
    }

    #[event]
    fn on_shutdown(&mut self, _: &Shutdown) {
        println!("{} sold", self.sold);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::builder().defaults("[stock]\ntea = 10").environment("SHOP").build()?;
    let system = System::builder("tea").config(config).build();

    // In whatever order they are given: all `init` in the order of their needs, then all `start`.
    let (shop, ..) = system.register_all((Shop::default(), Stock::default(), Till::default())).await?;
    for module in system.modules() {
        println!("{} {}: {}", module.name, module.info.version, module.info.description);
    }

    println!("left: {}", shop.sell(2).await??);
    let response = system.request("stock", Request::new("take", r#"{ "count": 1 }"#)).await?;
    println!("left: {}", response.decode::<u32>()?);

    let refused = system.stop("stock").await.unwrap_err();
    println!("{refused}");
    let unknown = system.request("stock", Request::new("steal", "")).await.unwrap_err();
    println!("{unknown}");

    system.shutdown().await; // the shop first, which needs the stock
    Ok(())
}
