//! The keys that say how a module is started again: `restart`, `max_restarts`, `within`, `backoff`; and which of its children: `strategy`.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitInt, LitStr};

use crate::diagnostics::{Errors, list};
use crate::duration;
use crate::entries::Entry;

/// What the keys say.
#[derive(Debug, Default)]
pub(crate) struct Restart {
    pub(crate) policy: Option<Policy>,
    max_restarts: Option<u32>,
    within: Option<Duration>,
    /// The first delay and the cap.
    backoff: Option<(Duration, Duration)>,
    /// The entries that only mean something where there is a policy.
    depending: Vec<(&'static str, TokenStream)>,
}

/// The names of `dms::recovery::RestartPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Never,
    OnFailure,
    Always,
}

/// The names of `dms::recovery::Strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    OneForOne,
    OneForAll,
    RestForOne,
    Escalate,
}

impl Strategy {
    /// Reads `strategy = one_for_all`.
    pub(crate) fn read(entry: &Entry, errors: &mut Errors) -> Option<Self> {
        let Name(name) = entry.value_as("strategy = one_for_all", errors)?;
        Some(match name.as_str() {
            "one_for_one" => Self::OneForOne,
            "one_for_all" => Self::OneForAll,
            "rest_for_one" => Self::RestForOne,
            "escalate" => Self::Escalate,
            _ => {
                let strategies = list(&["one_for_one", "one_for_all", "rest_for_one", "escalate"]);
                errors.at(entry.value_span(), format!("`{name}` is no strategy: write one of {strategies}"));
                return None;
            }
        })
    }

    /// `.strategy(…)`.
    pub(crate) fn emit(self, krate: &TokenStream) -> TokenStream {
        let strategy = match self {
            Self::OneForOne => quote!(OneForOne),
            Self::OneForAll => quote!(OneForAll),
            Self::RestForOne => quote!(RestForOne),
            Self::Escalate => quote!(Escalate),
        };
        quote!(.strategy(#krate::recovery::Strategy::#strategy))
    }
}

/// A name, quoted or not.
struct Name(String);

impl Parse for Name {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            Ok(Self(input.parse::<LitStr>()?.value()))
        } else {
            Ok(Self(input.parse::<Ident>()?.to_string()))
        }
    }
}

impl Restart {
    /// Reads `restart = on_failure`.
    pub(crate) fn read_policy(&mut self, entry: &Entry, errors: &mut Errors) {
        let Some(Name(name)) = entry.value_as("restart = on_failure", errors) else { return };
        self.policy = Some(match name.as_str() {
            "never" => Policy::Never,
            "on_failure" => Policy::OnFailure,
            "always" => Policy::Always,
            _ => {
                let policies = list(&["never", "on_failure", "always"]);
                errors.at(entry.value_span(), format!("`{name}` is no restart policy: write one of {policies}"));
                return;
            }
        });
    }

    /// Reads `max_restarts = 5`.
    pub(crate) fn read_max_restarts(&mut self, entry: &Entry, errors: &mut Errors) {
        self.depending.push(("max_restarts", entry.tokens.clone()));
        let Some(literal) = entry.value_as::<LitInt>("max_restarts = 5", errors) else { return };
        self.max_restarts = literal.base10_parse().ok();
        if self.max_restarts.is_none() {
            let message = format!("`{literal}` is not a number of restarts: write, for example, `max_restarts = 5`");
            errors.at(entry.value_span(), message);
        }
    }

    /// Reads `within = "60s"`.
    pub(crate) fn read_within(&mut self, entry: &Entry, errors: &mut Errors) {
        self.depending.push(("within", entry.tokens.clone()));
        let Some(literal) = entry.value_as::<LitStr>("within = \"60s\"", errors) else { return };
        match read_duration(&literal.value(), literal.span(), errors) {
            Some(within) if within.is_zero() => errors.at(
                literal.span(),
                "no two restarts come within no time: write the time that `max_restarts` counts in, as in `within = \"60s\"`",
            ),
            within => self.within = within,
        }
    }

    /// Reads `backoff = "100ms..30s"`.
    pub(crate) fn read_backoff(&mut self, entry: &Entry, errors: &mut Errors) {
        self.depending.push(("backoff", entry.tokens.clone()));
        let form = "backoff = \"100ms..30s\"";
        let Some(literal) = entry.value_as::<LitStr>(form, errors) else { return };
        let text = literal.value();
        let Some((initial, cap)) = text.split_once("..") else {
            let message = format!("`{text}` is no range: write the first delay and the longest, as in `{form}`");
            errors.at(literal.span(), message);
            return;
        };
        let initial = read_duration(initial.trim(), literal.span(), errors);
        let cap = read_duration(cap.trim(), literal.span(), errors);
        let (Some(initial), Some(cap)) = (initial, cap) else { return };
        if initial > cap {
            let message = format!("the first delay is above the longest: write the shorter one first, as in `{form}`");
            errors.at(literal.span(), message);
            return;
        }
        self.backoff = Some((initial, cap));
    }

    /// Reports what depends on a policy where there is none.
    pub(crate) fn check(&self, errors: &mut Errors) {
        if matches!(self.policy, Some(Policy::OnFailure | Policy::Always)) {
            return;
        }
        for (key, tokens) in &self.depending {
            let policy = match self.policy {
                None => "nothing says that it is: write `restart = on_failure` beside it",
                Some(_) => "`restart = never` says that it is not: write `restart = on_failure`",
            };
            let message = format!("`{key}` says how the module is started again, and {policy}, or leave `{key}` out");
            errors.push(tokens, message);
        }
    }

    /// `.restart(…)`, or nothing.
    pub(crate) fn emit(&self, krate: &TokenStream) -> Option<TokenStream> {
        let policy = match self.policy? {
            Policy::Never => quote!(never),
            Policy::OnFailure => quote!(on_failure),
            Policy::Always => quote!(always),
        };
        let recovery = quote!(#krate::recovery);
        let intensity = (self.max_restarts.is_some() || self.within.is_some()).then(|| {
            let default = quote!(#recovery::RestartIntensity::DEFAULT);
            let max = self.max_restarts.map_or_else(|| quote!(#default.max_restarts), |max| quote!(#max));
            let within = self.within.map_or_else(|| quote!(#default.within), duration::emit);
            quote!(.max_restarts(#max, #within))
        });
        let backoff = self.backoff.map(|(initial, cap)| {
            let (initial, cap) = (duration::emit(initial), duration::emit(cap));
            quote!(.backoff(#recovery::Backoff::new(#initial, #cap).jitter(#recovery::Jitter::Equal)))
        });
        Some(quote!(.restart(#recovery::Restart::#policy() #intensity #backoff)))
    }
}

fn read_duration(text: &str, span: Span, errors: &mut Errors) -> Option<Duration> {
    let found = duration::parse(text);
    if found.is_none() {
        errors.at(span, format!("`{text}` is no duration: write {}", duration::FORMS));
    }
    found
}
