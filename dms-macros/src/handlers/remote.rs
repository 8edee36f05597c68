//! The wire table: what makes a handler reachable by its name.
//!
//! All of it stands in macros of the runtime crate, which let it through, or say in one error that the feature is missing.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta};

use super::emit::{Bodies, Emitter, respanned};
use super::model::{Field, Generated, Handler, Message, Reach};
use crate::diagnostics::show;
use crate::entries::{Entry, Value, entries};
use crate::generics::mentions;

impl Emitter<'_> {
    /// `const REMOTE: &[Remote<Self>]` and `const ON_REQUEST: Option<OnRequest<Self>>`, for a module that has such handlers.
    pub(super) fn remote(&self) -> TokenStream {
        if self.bodies == Bodies::Stubs {
            return TokenStream::new();
        }
        let krate = self.krate;
        let mut place = None;
        let mut entries = Vec::new();
        let mut requests = TokenStream::new();
        for handler in &self.module.handlers {
            let cfgs = &handler.item.cfgs;
            match handler.reach {
                Reach::Local => {}
                Reach::Remote(span) => {
                    place.get_or_insert(span);
                    let entry = self.entry(handler);
                    entries.push(quote!(#(#cfgs)* #entry));
                }
                Reach::AnyName(span) => {
                    let guarded = self.guarded(
                        "remote",
                        span,
                        &quote! {
                            #(#cfgs)*
                            const ON_REQUEST: ::core::option::Option<#krate::__private::OnRequest<Self>> =
                                ::core::option::Option::Some(#krate::__private::OnRequest::new());
                        },
                    );
                    requests.extend(guarded);
                }
            }
        }
        let table = place.map(|span| {
            self.guarded(
                "remote",
                span,
                &quote!(const REMOTE: &'static [#krate::__private::Remote<Self>] = &[#(#entries),*];),
            )
        });
        quote!(#table #requests)
    }

    /// The tokens, where the feature is there that this macro of the runtime crate's looks after; else an error at `span`.
    pub(super) fn guarded(&self, gate: &str, span: Span, tokens: &TokenStream) -> TokenStream {
        let (krate, gate) = (self.krate, Ident::new(gate, span));
        let invocation = respanned(quote!(#krate::__private::#gate!), span);
        let mut group = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, tokens.clone());
        group.set_span(span);
        quote!(#invocation #group)
    }

    /// One handler in the table. The types keep their places, where the compiler says what they lack.
    fn entry(&self, handler: &Handler) -> TokenStream {
        let krate = self.krate;
        let (name, docs) = (&handler.item.name, text(&handler.item.docs));
        let (ty, reply) = (handler.message.ty(), &handler.reply);
        let ty = match &handler.message {
            Message::Given { .. } => ty,
            Message::Generated(message) => respanned(ty, message.ident.span()),
        };
        let reply = if reply.to_string() == "()" { quote_spanned!(handler.reply_span=> ()) } else { reply.clone() };
        let message_shape = match &handler.message {
            Message::Given { ty, .. } => self.shape(ty),
            Message::Generated(message) => self.generated_shape(message),
        };
        let reply_shape = self.shape(&handler.reply);
        quote! {
            #krate::__private::Remote::new::<#ty, #reply>(#name, #docs, #message_shape, #reply_shape)
        }
    }

    /// What a type looks like.
    fn shape(&self, ty: &TokenStream) -> TokenStream {
        let (krate, name) = (self.krate, show(without_paths(ty.clone())));
        let schema = self.schema(ty);
        quote! {
            #krate::__private::Shape::new(#name, #name, |schemas| {
                use #krate::__private::{Described as _, Undescribed as _};
                #schema
            })
        }
    }

    /// The schema of a type, in the scope of both traits.
    fn schema(&self, ty: &TokenStream) -> TokenStream {
        let krate = self.krate;
        quote!((&#krate::__private::Typed::<#ty>::NEW).schema(schemas))
    }

    fn generated_shape(&self, Generated { ident, generics, fields, derive }: &Generated) -> TokenStream {
        let (krate, name) = (self.krate, ident.to_string());
        let written: Vec<_> = fields
            .iter()
            .map(|Field { ident, ty, .. }| format!("{}: {}", ident.unraw(), show(without_paths(ty.clone()))))
            .collect();
        let written = if fields.is_empty() { name.clone() } else { format!("{name} {{ {} }}", written.join(", ")) };
        let on_wire: Option<Vec<_>> = fields.iter().map(OnWire::of).collect();
        let schema = match on_wire {
            _ if derives(derive.as_ref(), "JsonSchema") => {
                let used = generics.used();
                self.schema(&quote!(#ident #used))
            }
            Some(on_wire) => {
                let arguments = on_wire.iter().zip(fields).map(|(OnWire { name, required }, Field { ty, .. })| {
                    let schema = self.schema(ty);
                    quote!((#name, #required, #schema))
                });
                quote!(#krate::__private::arguments(#name, [#(#arguments),*]))
            }
            // What the attributes make of it is serde's to know.
            None => quote!(#krate::__private::arguments_unknown()),
        };
        quote! {
            #krate::__private::Shape::new(#written, #name, |schemas| {
                use #krate::__private::{Described as _, Undescribed as _};
                #schema
            })
        }
    }

    /// The struct of a remote handler's message, with serde's derives: those that the user did not ask for. The attributes of the user's stand before serde's.
    pub(super) fn remote_message(&self, message: &Generated, attrs: &TokenStream, item: &TokenStream) -> TokenStream {
        let krate = self.krate;
        let path = format!("{}::__private::serde", show(krate));
        let derived = ["Serialize", "Deserialize"].into_iter().filter(|name| !derives(message.derive.as_ref(), name));
        let derived = derived.map(|name| {
            let name = format_ident!("{name}");
            quote!(#[derive(#krate::__private::serde::#name)])
        });
        let bound = if self.bodies == Bodies::Stubs { None } else { bounds(message, &path) };
        let bound = bound.map(
            |(serialize, deserialize)| quote!(#[serde(bound(serialize = #serialize, deserialize = #deserialize))]),
        );
        quote! {
            #krate::__private::remote_message! {
                [#attrs]
                [#(#derived)* #[serde(crate = #path)] #bound]
                #item
            }
        }
    }

    /// What a `#[request]` method returns, as a response.
    pub(super) fn response(&self, handler: &Handler, call: &TokenStream) -> TokenStream {
        let krate = self.krate;
        let function = respanned(quote!(#krate::__private::response), handler.reply_span);
        // The block is what the error about a returned type points at.
        let output = quote_spanned!(handler.reply_span=> { #call });
        quote!(#function(#output))
    }
}

/// An argument as serde writes it.
struct OnWire {
    name: String,
    /// Whether it must be there.
    required: bool,
}

impl OnWire {
    /// `None` where an attribute makes something else of it than a name and a default.
    fn of(field: &Field) -> Option<Self> {
        let mut on_wire = Self { name: field.ident.unraw().to_string(), required: !is_option(&field.ty) };
        for Entry { key, value, .. } in serde_attributes(field) {
            match (key?.to_string().as_str(), value) {
                ("default", Value::None | Value::Equals(_)) => on_wire.required = false,
                ("rename", Value::Equals(name)) => on_wire.name = syn::parse2::<LitStr>(name).ok()?.value(),
                _ => return None,
            }
        }
        Some(on_wire)
    }
}

fn serde_attributes(field: &Field) -> Vec<Entry> {
    let lists = field.attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("serde") => Some(list.tokens.clone()),
        _ => None,
    });
    lists.flat_map(entries).collect()
}

/// Whether the list of derives has this one, by whatever path.
fn derives(list: Option<&TokenStream>, name: &str) -> bool {
    let list = list.cloned().map(entries).unwrap_or_default();
    list.iter().any(|entry| entry.tokens.clone().into_iter().last().is_some_and(|last| last.to_string() == name))
}

/// Bounds for the derived impls, so that one which a field does not allow is missing instead of wrong: what it lacks is then said once, at the handler.
///
/// Serde has bounds of its own for fields with attributes; and a type that is made of itself could never be shown to fit.
fn bounds(message: &Generated, serde: &str) -> Option<(String, String)> {
    let fields = &message.fields;
    if fields.iter().any(|field| !serde_attributes(field).is_empty() || mentions(&field.ty, &message.ident)) {
        return None;
    }
    let types: Vec<_> = fields.iter().map(|field| (&field.ty, field.ty.to_string())).collect();
    if types.iter().any(|(_, text)| text.contains('$')) {
        return None;
    }
    let bound = |name: &str| {
        let bounds = types.iter().map(|(ty, text)| {
            // A bound without a parameter would be checked at once; with one it is a condition.
            let condition = if message.generics.mentioned_in(ty) { "" } else { "for<'remote> " };
            format!("{condition}{text}: {serde}::{name}")
        });
        bounds.collect::<Vec<_>>().join(", ")
    };
    Some((bound("Serialize"), bound("de::DeserializeOwned")))
}

fn is_option(ty: &TokenStream) -> bool {
    let ty = show(without_paths(ty.clone()));
    ty.starts_with("Option<")
}

/// The text of a doc comment.
fn text(docs: &[Attribute]) -> String {
    let lines = docs.iter().filter_map(|doc| match &doc.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

/// A type as its last names alone: nobody outside of the program knows its modules.
fn without_paths(tokens: TokenStream) -> TokenStream {
    let mut short: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(colon) if colon.as_char() == ':' => {
                let second = tokens.next_if(|next| matches!(next, TokenTree::Punct(next) if next.as_char() == ':'));
                let is_before_a_name = matches!(tokens.peek(), Some(TokenTree::Ident(_)));
                match (second, short.last()) {
                    (Some(_), Some(TokenTree::Ident(segment))) if is_before_a_name && !is_keyword(segment) => {
                        short.pop();
                    }
                    (Some(second), Some(TokenTree::Punct(close))) if close.as_char() == '>' => {
                        short.extend([TokenTree::Punct(colon), second]);
                    }
                    (Some(_), _) if is_before_a_name => {}
                    (second, _) => short.extend([TokenTree::Punct(colon)].into_iter().chain(second)),
                }
            }
            TokenTree::Group(group) => {
                let stream = without_paths(group.stream());
                short.push(TokenTree::Group(proc_macro2::Group::new(group.delimiter(), stream)));
            }
            token => short.push(token),
        }
    }
    short.into_iter().collect()
}

/// A word before a path, which is no part of it.
fn is_keyword(word: &Ident) -> bool {
    ["dyn", "impl", "as", "mut", "const", "for"].iter().any(|keyword| word == keyword)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn types_are_named_without_their_paths() {
        let cases = [
            (quote!(crate::messages::Add), "Add"),
            (quote!(::std::vec::Vec<std::collections::HashMap<String, super::Add>>), "Vec<HashMap<String, Add>>"),
            (quote!((u8, a::B)), "(u8, B)"),
            (quote!([a::B; 4]), "[B; 4]"),
            (quote!(Box<dyn a::B>), "Box<dyn B>"),
            (quote!(<T as a::B>::C), "<T as B>::C"),
            (quote!(Box<dyn ::a::B>), "Box<dyn B>"),
            (quote!(Result<(), a::E>), "Result<(), E>"),
        ];
        for (ty, short) in cases {
            assert_eq!(show(without_paths(ty)), short);
        }
    }

    #[test]
    fn derives_are_known_by_whatever_path() {
        let list = quote!(Clone, ::serde::Serialize, schemars::JsonSchema);
        assert!(derives(Some(&list), "Serialize") && derives(Some(&list), "JsonSchema"));
        assert!(!derives(Some(&list), "Deserialize") && !derives(None, "Serialize"));
    }

    #[test]
    fn attributes_of_arguments_are_followed_as_far_as_they_are_known() {
        let field = |attrs: Vec<Attribute>, ty| Field { ident: format_ident!("by"), ty, attrs };
        let required = OnWire::of(&field(Vec::new(), quote!(u64))).expect("it is plain");
        assert!(required.required && required.name == "by");
        assert!(!OnWire::of(&field(Vec::new(), quote!(std::option::Option<u64>))).expect("it is plain").required);
        let renamed = field(vec![parse_quote!(#[serde(default, rename = "step")])], quote!(u64));
        let renamed = OnWire::of(&renamed).expect("it is known");
        assert!(!renamed.required && renamed.name == "step");
        assert!(OnWire::of(&field(vec![parse_quote!(#[serde(flatten)])], quote!(u64))).is_none());
    }

    #[test]
    fn a_doc_comment_is_its_lines() {
        let docs: Vec<Attribute> =
            vec![parse_quote!(#[doc = " Adds."]), parse_quote!(#[doc = ""]), parse_quote!(#[doc = " Twice."])];
        assert_eq!(text(&docs), "Adds.\n\nTwice.");
    }
}
