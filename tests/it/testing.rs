//! What users test their modules with.

use dms::RegisterError;
use dms::prelude::*;
use dms::testing::{mock, mock_in, probe};
use dms_tests::{Log, on_every_runtime, on_paused};

/// What is tested: it asks a ledger and tells a screen.
#[module]
struct Till {
    ledger: ModuleRef<Ledger>,
    screen: Recipient<String>,
}

#[module]
impl Till {
    #[handler(Sell)]
    async fn sell(&mut self, price: u64) -> Result<u64, AskError> {
        let total = self.ledger.book(price).await?;
        self.screen.try_send(format!("{total} in all")).ok();
        Ok(total)
    }
}

/// What it needs, in a world that is not here.
#[module(name = "ledger")]
struct Ledger;

#[module]
impl Ledger {
    #[handler(Book)]
    async fn book(&mut self, price: u64) -> u64 {
        unreachable!("the mock answers, not this: {price}")
    }

    #[handler(Close)]
    fn close(&mut self) {}
}

#[test]
fn a_mock_stands_in_for_a_module_and_a_probe_shows_what_was_sent() {
    on_every_runtime(|| async {
        let mut total = 0;
        let ledger = mock::<Ledger>(move |message| match message {
            LedgerMessage::Book(Book { price }, reply) => {
                total += price;
                reply.send(total);
            }
            LedgerMessage::Close(Close, reply) => drop(reply),
        });
        let mut screen = probe::<String>();
        let system = System::new();
        let till = system.register_module(Till { ledger: ledger.clone(), screen: screen.recipient() }).await.unwrap();
        assert_eq!(till.sell(3).await, Ok(Ok(3)));
        assert_eq!(till.sell(4).await, Ok(Ok(7)));
        assert_eq!(screen.recv().await, "3 in all");
        assert_eq!(screen.recv().await, "7 in all");
        assert_eq!(screen.try_recv(), None);
        assert_eq!(ledger.close().await, Err(AskError::NoReply { module: "ledger".to_owned(), handler: "close" }));
        system.shutdown().await;
    });
}

#[test]
fn a_mock_gets_messages_in_order_and_stops_when_it_is_dropped() {
    on_every_runtime(|| async {
        let log = Log::new();
        let prices = log.clone();
        let ledger = mock::<Ledger>(move |message| {
            if let LedgerMessage::Book(Book { price }, _) = message {
                prices.push(price);
            }
        });
        for price in 0..100 {
            ledger.send(Book { price }).await.unwrap();
        }
        assert!(ledger.close().await.is_err());
        assert_eq!(log.all(), (0..100).collect::<Vec<_>>());
        let reference = ledger.clone();
        drop(ledger);
        assert!(reference.stopped().await.failure.is_none());
        assert!(matches!(reference.try_send(Book { price: 1 }), Err(SendError::Stopped(..))));
    });
}

#[test]
fn a_mock_that_panics_has_failed_and_its_asker_is_told() {
    on_paused(|| async {
        let ledger = mock::<Ledger>(|_| std::panic::resume_unwind(Box::new("unexpected")));
        assert!(matches!(ledger.book(1).no_timeout().await, Err(AskError::Panicked { .. })));
        assert!(ledger.stopped().await.failure.unwrap().to_string().contains("unexpected"));
    });
}

#[test]
fn a_probe_that_gets_nothing_says_so_after_five_seconds() {
    let begun = std::time::Instant::now();
    let failed = std::panic::catch_unwind(|| on_paused(|| async { drop(probe::<String>().recv().await) }));
    assert!(failed.is_err());
    assert!(begun.elapsed().as_secs() < 4, "of a paused clock");
}

/// What needs a ledger, and finds it in its system.
#[module(depends("ledger", "archive"))]
struct Office;

#[module]
impl Office {
    #[handler(BookAll)]
    async fn book(&mut self, price: u64, ctx: &mut Context<Self>) -> Result<u64, ModuleError> {
        Ok(ctx.dependency::<Ledger>()?.book(price).await?)
    }
}

#[module(name = "old-archive", provides("archive"), depends("basement"))]
struct Archive;

#[module]
impl Archive {
    #[event]
    fn on_text(&mut self, _: &String) {}
}

#[test]
fn a_mock_in_a_system_stands_in_for_a_dependency_and_needs_nothing_itself() {
    on_every_runtime(|| async {
        let system = System::new();
        let ledger = mock_in::<Ledger>(&system, |message| {
            if let LedgerMessage::Book(Book { price }, reply) = message {
                reply.send(price + 1);
            }
        })
        .unwrap();
        let _archive = mock_in::<Archive>(&system, drop).unwrap();
        let office = system.register_module(Office).await.unwrap();
        assert_eq!(office.book(2).await.unwrap().unwrap(), 3);
        assert_eq!(system.find::<Ledger>("ledger").await.unwrap(), ledger);
        assert_eq!(system.publish(String::new()).subscribers(), 0);
        let taken = mock_in::<Ledger>(&system, drop).unwrap_err();
        assert!(matches!(taken, RegisterError::NameTaken { name } if name == "ledger"));
        assert_eq!(system.shutdown().await.modules.len(), 3);
        let late = mock_in::<Ledger>(&system, drop).unwrap_err();
        assert!(matches!(late, RegisterError::ShuttingDown { .. }));
    });
}

#[test]
fn a_mock_outside_of_a_runtime_is_an_error() {
    let error = mock_in::<Ledger>(&System::new(), drop).unwrap_err();
    assert!(matches!(error, RegisterError::NoRuntime { .. }));
}
