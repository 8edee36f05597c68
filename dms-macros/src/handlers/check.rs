//! What does not fit together: mistakes that no single method shows. What is at fault is left out, so that the rest can be emitted.

use proc_macro2::Ident;
use syn::{Attribute, Type};

use super::args::Role;
use super::model::{Check, Event, Generated, Handler, Message, Module, Reach, Tick};
use super::replaced;
use super::state::Take;
use crate::diagnostics::{Errors, show};

/// The methods that a reference has or is to have itself, and those of the traits that everybody imports.
const RESERVED: [&str; 35] = [
    "ask",
    "blocking_ask",
    "blocking_send",
    "changed_from",
    "check_health",
    "clone",
    "clone_from",
    "depth",
    "drain",
    "eq",
    "fmt",
    "hash",
    "health",
    "id",
    "incarnation",
    "info",
    "into",
    "kill",
    "name",
    "ne",
    "recipient",
    "reload",
    "reload_with",
    "reloads",
    "request_tick",
    "send",
    "send_after",
    "snapshot",
    "state",
    "statistics",
    "stop",
    "stopped",
    "to_owned",
    "try_send",
    "watch",
];

/// Reports the mistakes between handlers, ticks, event handlers, health checks and hooks.
pub(crate) fn check(module: &mut Module, errors: &mut Errors) {
    for handler in &module.handlers {
        reserved_name(handler, errors);
    }
    let generics = &module.generics;
    module.handlers.retain(|handler| match &handler.message {
        Message::Given { ty, place, .. } if generics.is_parameter(ty) => {
            bare_parameter(handler, place, errors);
            false
        }
        _ => true,
    });
    generated_names(module, errors);
    repeated_requests(&mut module.handlers, errors);
    repeated_messages(&mut module.handlers, errors);
    repeated_events(&mut module.events, errors);
    repeated(&mut module.checks, |check| ("health", &check.call.method, &check.item.cfgs), errors);
    repeated_variants(module, errors);
    repeated(&mut module.hooks, |hook| (hook.role.name(), &hook.call.method, &hook.cfgs), errors);
    repeated(&mut module.takes, |take| ("snapshot", &take.call.method, &take.item.cfgs), errors);
    repeated(&mut module.restores, |restore| ("restore", &restore.call.method, &restore.cfgs), errors);
    inline_beside_a_loop(module, errors);
    replaced::check(module, errors);
}

fn reserved_name(handler: &Handler, errors: &mut Errors) {
    let name = &handler.item.name;
    if RESERVED.contains(&name.as_str()) {
        errors.push(
            &handler.call.method,
            format!("handler `{name}`: a `ModuleRef` has a method `{name}` of its own, which would hide this one: name the handler otherwise, for example `{name}_now`"),
        );
    }
}

fn bare_parameter(handler: &Handler, place: &Type, errors: &mut Errors) {
    let (name, parameter) = (&handler.item.name, show(place));
    errors.push(
        place,
        format!("handler `{name}` takes any `{parameter}`, which could be the message of another handler: wrap it, as in `struct Put<{parameter}>({parameter})`, and take `Put<{parameter}>`"),
    );
}

/// Generated messages that have the name of something else that is generated.
fn generated_names(module: &mut Module, errors: &mut Errors) {
    let ident = &module.ident;
    let taken = [ident.to_string(), format!("{ident}Message"), format!("{ident}Ref")];
    module.handlers.retain(|handler| match &handler.message {
        Message::Generated(Generated { ident: message, .. }) if taken.contains(&message.to_string()) => {
            let name = &handler.item.name;
            errors.push(message, format!("handler `{name}`: `{message}` is the name of {} already: name the message otherwise, for example `Do{message}`", owner(ident, message)));
            false
        }
        _ => true,
    });
}

fn owner(module: &Ident, message: &Ident) -> &'static str {
    if message == module {
        "the module"
    } else if message.to_string().ends_with("Ref") {
        "the trait of its reference's methods"
    } else {
        "the enum of its messages"
    }
}

fn repeated_requests(handlers: &mut Vec<Handler>, errors: &mut Errors) {
    let mut seen: Option<(Ident, bool)> = None;
    handlers.retain(|handler| {
        if !matches!(handler.reach, Reach::AnyName(_)) {
            return true;
        }
        let (method, conditional) = (&handler.call.method, is_conditional(&handler.item.cfgs));
        match &seen {
            Some((first, first_conditional)) if !(conditional && *first_conditional) => {
                errors.push(method, format!("request method `{method}`: `{first}` is the `#[request]` of this module already: make one method of both, or call this one from `{first}`"));
                false
            }
            _ => {
                seen.get_or_insert((method.clone(), conditional));
                true
            }
        }
    });
}

fn repeated_messages(handlers: &mut Vec<Handler>, errors: &mut Errors) {
    let mut seen: Vec<(String, String, bool)> = Vec::new();
    handlers.retain(|handler| {
        let ty = show(handler.message.ty());
        let conditional = !handler.item.cfgs.is_empty();
        let first = seen.iter().find(|(other, _, other_conditional)| *other == ty && !(conditional && *other_conditional));
        if let Some((_, first, _)) = first {
            let name = &handler.item.name;
            let message = format!("handler `{name}` takes `{ty}`, which handler `{first}` takes already: give it a message of its own, or make one handler of both");
            match &handler.message {
                Message::Given { place, .. } => errors.push(place, message),
                Message::Generated(Generated { ident, .. }) => errors.push(ident, message),
            }
            return false;
        }
        seen.push((ty, handler.item.name.clone(), conditional));
        true
    });
}

/// An event comes to a module once.
fn repeated_events(events: &mut Vec<Event>, errors: &mut Errors) {
    let mut seen: Vec<(String, String, bool)> = Vec::new();
    events.retain(|event| {
        let custom = event.args.custom.as_ref().map(|custom| format!(" of the name {}", show(custom)));
        let what = format!("`{}`{}", show(&event.place), custom.unwrap_or_default());
        let conditional = is_conditional(&event.item.cfgs);
        let first = seen.iter().find(|(other, _, other_conditional)| *other == what && !(conditional && *other_conditional));
        if let Some((_, first, _)) = first {
            let name = &event.item.name;
            errors.push(&event.place, format!("event handler `{name}` takes {what}, which `{first}` takes already: make one method of both, or call this one from `{first}`"));
            return false;
        }
        seen.push((what, event.item.name.clone(), conditional));
        true
    });
}

/// Two methods of one name are the compiler's to report; two names of one variant are ours.
fn repeated_variants(module: &mut Module, errors: &mut Errors) {
    let mut seen: Vec<(String, String, bool)> = Vec::new();
    let mut is_new = |item: &super::model::Described, method: &Ident| {
        let (variant, conditional) = (item.variant.to_string(), !item.cfgs.is_empty());
        let first =
            seen.iter().find(|(other, _, other_conditional)| *other == variant && !(conditional && *other_conditional));
        if let Some((_, first, _)) = first {
            if *first != item.name {
                let name = &item.name;
                errors.push(
                    method,
                    format!("`{name}` and `{first}` would both be the variant `{variant}`: rename one of them"),
                );
            }
            return false;
        }
        seen.push((variant, item.name.clone(), conditional));
        true
    };
    module.handlers.retain(|Handler { item, call, .. }| is_new(item, &call.method));
    module.ticks.retain(|Tick { item, call, .. }| is_new(item, &call.method));
    module.events.retain(|Event { item, call, .. }| is_new(item, &call.method));
    module.takes.retain(|Take { item, call, .. }| is_new(item, &call.method));
    module.checks.retain(|Check { item, call, .. }| is_new(item, &call.method));
}

/// There is at most one method of a role. What counts of each is its role, its method and its conditions.
fn repeated<T>(items: &mut Vec<T>, parts: impl Fn(&T) -> (&'static str, &Ident, &[Attribute]), errors: &mut Errors) {
    let mut seen: Vec<(&'static str, Ident, bool)> = Vec::new();
    items.retain(|item| {
        let (role, method, cfgs) = parts(item);
        let conditional = is_conditional(cfgs);
        let first = seen.iter().find(|(other, _, other_conditional)| *other == role && !(conditional && *other_conditional));
        if let Some((_, first, _)) = first {
            errors.push(method, format!("hook `{method}`: `{first}` is the `#[{role}]` of this module already: make one method of both, or call this one from `{first}`"));
            return false;
        }
        seen.push((role, method.clone(), conditional));
        true
    });
}

/// A loop of the module's own keeps the module to itself.
fn inline_beside_a_loop(module: &Module, errors: &mut Errors) {
    let Some(run) = module.hooks.iter().find(|hook| hook.role == Role::Run) else { return };
    for handler in &module.handlers {
        if let Some(inline) = handler.inline {
            let (name, run) = (&handler.item.name, &run.call.method);
            errors.at(inline, format!("handler `{name}` is `inline`, and `{run}` is a loop of the module's own, which never lets go of the module: remove `inline`, or the `#[run]`"));
        }
    }
}

fn is_conditional(cfgs: &[Attribute]) -> bool {
    !cfgs.is_empty()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The public methods of its own that a reference has, as the files below `folder` say.
    fn methods(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                methods(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a file");
                let mut is_ours = false;
                for line in text.lines() {
                    is_ours = (is_ours || line.starts_with("impl<") && line.contains("> ModuleRef<")) && line != "}";
                    let method = line.strip_prefix("    pub ").filter(|_| is_ours);
                    let method = method.and_then(|item| item.split_once("fn ")).map(|(_, rest)| rest);
                    let name = method.and_then(|rest| rest.split(['(', '<']).next());
                    found.extend(name.map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn each_method_that_a_reference_has_is_reserved() {
        let mut found = Vec::new();
        methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../dms/src"), &mut found);
        assert!(found.len() > 20 && found.contains(&"statistics".to_owned()), "{found:?}");
        found.retain(|name| !RESERVED.contains(&name.as_str()));
        assert!(found.is_empty(), "to be reserved as well: {found:?}");
        assert!(RESERVED.is_sorted());
    }
}
