//! `cfg` on the module, on its handlers, ticks and hooks: what is configured out leaves nothing behind.
#![deny(warnings)]

use dms::prelude::*;

#[module]
#[derive(Default)]
struct Clock {
    log: Vec<&'static str>,
}

#[module]
#[cfg(all())]
impl Clock {
    #[cfg(any())]
    #[handler(Gone)]
    async fn gone(&self, argument: NoSuchType) -> NoSuchType {
        no_such_function(argument)
    }

    #[handler(Now)]
    #[cfg(all())]
    fn now(&mut self) -> &'static str {
        "now"
    }

    #[cfg(any())]
    #[handler(Which)]
    fn which(&self) -> u8 {
        1
    }

    #[cfg(not(any()))]
    #[handler(Which)]
    fn which(&self) -> u16 {
        2
    }

    #[cfg(any())]
    #[tick(every = "1s")]
    fn gone_too(&mut self) {
        no_such_function(self);
    }

    #[cfg(any())]
    #[init]
    fn init_elsewhere(&mut self) {
        no_such_function(self);
    }

    #[cfg(all())]
    #[init]
    fn init(&mut self) {
        self.log.push("init");
    }

    #[handler(Log)]
    fn log(&self) -> Vec<&'static str> {
        self.log.clone()
    }
}

#[module]
#[cfg(any())]
struct Nowhere {
    field: NoSuchType,
}

#[module]
#[cfg(any())]
impl Nowhere {
    #[handler(Nothing)]
    fn nothing(&self) {}
}

#[module]
struct AllGone;

#[module]
impl AllGone {
    #[cfg(any())]
    #[handler(Lonely)]
    fn lonely(&self) {}

    #[cfg(any())]
    #[tick(every = "1s")]
    fn tick(&self) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let system = System::new();
    let clock = system.register_module(Clock::default()).await?;
    assert_eq!(clock.now().await?, "now");
    assert_eq!(clock.which().await?, 2_u16);
    assert_eq!(clock.log().await?, ["init"]);
    system.register_module(AllGone).await?;
    system.shutdown().await;
    Ok(())
}
