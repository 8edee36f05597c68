//! One root span of `tracing` for each message, linked to that of its sender (feature `observe`).
//!
//! Whether any subscriber wants them is a look at a number that `tracing` keeps. While one does, the mailbox keeps the span in which each sender was, and the handler's future is boxed
//! with its own; messages themselves carry nothing.
//!
//! `span_off.rs` has the same names, for a program without the feature.

use std::sync::atomic::Ordering;

use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::span::EnteredSpan;
use tracing::{Level, Span};

use super::cell::{Cell, Core};
use super::handler::{Answers, Module};
use super::message_set::{Accepts, MessageSet, Owner, short_name};

/// Whether a subscriber may want spans of messages.
#[inline]
pub(super) fn are_wanted() -> bool {
    Level::DEBUG <= LevelFilter::current()
}

/// Whether a subscriber does.
pub(super) fn are_on() -> bool {
    are_wanted() && tracing::enabled!(kind: Kind::SPAN, target: "dms::message", Level::DEBUG)
}

/// The span in which a sender was, if it was in one: open until the message begins.
#[derive(Clone, Default)]
pub(crate) struct Sender(Option<Span>);

impl Sender {
    /// Whoever runs.
    pub(crate) fn current() -> Self {
        Self(are_on().then(Span::current).filter(|span| !span.is_disabled()))
    }

    /// Runs `send` as that sender.
    pub(crate) fn run<R>(self, send: impl FnOnce() -> R) -> R {
        match self.0 {
            Some(span) => span.in_scope(send),
            None => send(),
        }
    }

    pub(super) fn is_any(&self) -> bool {
        self.0.is_some()
    }

    fn link(&self, span: &Span) {
        if let Some(sender) = &self.0 {
            span.follows_from(sender);
        }
    }
}

/// The span of the message in hand, where a subscriber wants it.
#[cold]
#[inline(never)]
pub(super) fn of<T: Module>(cell: &Cell<Owner<T>>, message: &T::Message) -> Option<Span> {
    let core = &cell.core;
    let span = of_message(core, MessageSet::<T>::name(message), MessageSet::<T>::message_name(message))?;
    let position = core.begun.load(Ordering::Relaxed).wrapping_sub(1);
    cell.mailbox.take_sender(position).link(&span);
    Some(span)
}

/// The span of a message that its asker handles, entered; where a subscriber wants it.
#[cold]
#[inline(never)]
pub(super) fn enter<T: Answers<M>, M>(core: &Core) -> Option<EnteredSpan> {
    let span = of_message(core, T::Message::handler(), short_name::<M>())?;
    Sender::current().link(&span);
    Some(span.entered())
}

fn of_message(core: &Core, handler: &'static str, message: &'static str) -> Option<Span> {
    let module = core.module_name();
    let span = tracing::debug_span!(target: "dms::message", parent: None, "message", %module, handler, message);
    (!span.is_disabled()).then_some(span)
}

/// Runs the handler of a message, inside a span where one is wanted.
macro_rules! handle {
    ($message:ident, $cell:expr, $module:expr, $ctx:expr) => {
        if $crate::module::span::are_wanted()
            && let Some(span) = $crate::module::span::of::<T>($cell, &$message)
        {
            ::std::boxed::Box::pin(::tracing::Instrument::instrument($message.dispatch($module, $ctx), span)).await
        } else {
            $message.dispatch($module, $ctx).await
        }
    };
}

/// Runs the handlers of the batch in hand, each inside a span where that is wanted, as it is looked at once a batch.
macro_rules! handle_batch {
    ($hand:expr, $cell:expr, $module:expr, $ctx:expr) => {
        if $crate::module::span::are_wanted() {
            ::std::boxed::Box::pin($hand.handle_in_spans($cell, $module, $ctx)).await;
        } else {
            while let Some(message) = $hand.take($cell) {
                message.dispatch($module, $ctx).await;
            }
        }
    };
}

/// Runs the handler of a message in its asker's place, inside a span where one is wanted.
macro_rules! entered {
    ($core:expr, $answer:expr) => {
        if $crate::module::span::are_wanted() {
            $crate::module::span::rarely(|| {
                let _entered = $crate::module::span::enter::<T, M>($core);
                $answer
            })
        } else {
            $answer
        }
    };
}

/// Runs what hardly ever runs.
#[cold]
#[inline(never)]
pub(super) fn rarely<R>(run: impl FnOnce() -> R) -> R {
    run()
}

pub(super) use {entered, handle, handle_batch};
