//! What users test their modules with.

use dms::prelude::*;
use dms::testing::{mock, probe};
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
