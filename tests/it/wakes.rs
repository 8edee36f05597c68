//! Who is woken by a message, and who finds it: what a module's own loop may do with its inbox.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use dms::prelude::*;
use dms_tests::{Flavor, Log, eventually, on_every_runtime, settle};
use tokio::sync::Notify;

/// An executor inside a task: it polls its one future only when that future's own waker was woken.
struct Inner {
    is_woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Inner {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if let Some(outer) = self.outer.lock().unwrap().take() {
            outer.wake();
        }
    }
}

async fn inside<F: Future>(future: F) -> F::Output {
    let inner = Arc::new(Inner { is_woken: AtomicBool::new(true), outer: Mutex::new(None) });
    let waker = Waker::from(Arc::clone(&inner));
    let mut future = pin!(future);
    poll_fn(move |cx| {
        *inner.outer.lock().unwrap() = Some(cx.waker().clone());
        if !inner.is_woken.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        Pin::new(&mut future).as_mut().poll(&mut TaskContext::from_waker(&waker))
    })
    .await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Receives by itself and inside another executor, in turn.
    Inside,
    /// Looks for a message again and again within one poll.
    Eager,
    /// Serves until it is told to go on, and then asks.
    Serve,
}

#[module]
struct Looper {
    way: Way,
    log: Log<u64>,
    go_on: Arc<Notify>,
    friend: Option<ModuleRef<Self>>,
    answer: Arc<Mutex<Option<Result<u64, AskError>>>>,
}

#[module]
impl Looper {
    #[handler(Note)]
    fn note(&mut self, number: u64) {
        self.log.push(number);
    }

    #[handler(Count)]
    fn count(&self) -> u64 {
        7
    }

    #[handler(Never)]
    async fn never(&mut self) {
        std::future::pending::<()>().await;
    }

    #[run]
    async fn run(&mut self, inbox: &mut Inbox<Self>, ctx: &mut Context<Self>) {
        match self.way {
            Way::Inside => loop {
                let Some(message) = inbox.recv().await else { return };
                inbox.dispatch(message, self, ctx).await;
                let Some(message) = inside(inbox.recv()).await else { return };
                inbox.dispatch(message, self, ctx).await;
            },
            // Never lets its poll end: what comes within it is to be found within it.
            Way::Eager => loop {
                tokio::select! {
                    biased;
                    message = inbox.recv() => match message {
                        Some(message) => inbox.dispatch(message, self, ctx).await,
                        None => return,
                    },
                    () = std::future::ready(()) => std::thread::yield_now(),
                }
            },
            Way::Serve => {
                let go_on = Arc::clone(&self.go_on);
                tokio::select! {
                    _ = inbox.serve(self, ctx) => return,
                    () = go_on.notified() => {}
                }
                if let Some(friend) = &self.friend {
                    let answer = friend.ask(Count).await;
                    *self.answer.lock().unwrap() = Some(answer);
                }
                let _ = inbox.serve(self, ctx).await;
            }
        }
    }
}

fn looper(way: Way, log: &Log<u64>) -> Looper {
    Looper { way, log: log.clone(), go_on: Arc::default(), friend: None, answer: Arc::default() }
}

#[test]
fn receiving_inside_another_executor_is_woken() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(looper(Way::Inside, &log)).await.unwrap();
        for number in 0..6 {
            module.send(Note { number }).await.unwrap();
            eventually("the message is handled", || log.all().len() as u64 == number + 1).await;
            settle().await;
        }
        assert_eq!(log.all(), [0, 1, 2, 3, 4, 5]);
        assert!(system.shutdown().await.overran.is_empty());
    });
}

#[test]
fn a_loop_that_looks_more_than_once_in_a_poll_finds_what_came() {
    // With a paused clock the loop, which never waits, would hold the clock up.
    Flavor::MultiThread.run(|| async {
        let system = System::new();
        let log = Log::new();
        let module = system.register_module(looper(Way::Eager, &log)).await.unwrap();
        for number in 0..6 {
            module.send(Note { number }).await.unwrap();
            eventually("the message is handled", || log.all().len() as u64 == number + 1).await;
        }
        assert_eq!(log.all(), [0, 1, 2, 3, 4, 5]);
        assert!(system.shutdown().await.overran.is_empty());
    });
}

#[test]
fn m4_a_loop_that_dropped_its_serve_does_not_inherit_the_last_callers_deadline() {
    on_every_runtime(|| async {
        let system = System::new();
        let log = Log::new();
        let friend = system.register_module(looper(Way::Serve, &log)).await.unwrap();
        let mut looper = looper(Way::Serve, &log);
        looper.friend = Some(friend);
        let (go_on, answer) = (Arc::clone(&looper.go_on), Arc::clone(&looper.answer));
        let module = system.register_module(looper).await.unwrap();
        assert!(module.ask(Never).timeout(Duration::from_millis(5)).await.is_err());
        go_on.notify_one();
        eventually("the loop has its answer", || answer.lock().unwrap().is_some()).await;
        assert!(matches!(*answer.lock().unwrap(), Some(Ok(7))), "{:?}", answer.lock().unwrap());
        system.shutdown().await;
    });
}
