//! The constant that describes a module.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::args::{Overflow, Timeout};
use super::flags;
use super::model::Description;
use crate::duration;

/// `impl Describe for Counter { const INFO … }`
pub(crate) fn describe(description: &Description, krate: &TokenStream) -> TokenStream {
    let Description { self_ty, generics, cfgs, .. } = description;
    let (declared, where_clause) = (generics.declared(), generics.where_clause());
    let info = info(description, krate);
    quote! {
        #(#cfgs)*
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        impl #declared #krate::Describe for #self_ty #where_clause {
            const INFO: #krate::ModuleInfo = #info;
        }
    }
}

fn info(description: &Description, krate: &TokenStream) -> TokenStream {
    let type_name = description.ident.to_string();
    let type_name = type_name.trim_start_matches("r#");
    let name = description.name.as_ref().map(|(name, _)| quote!(.named(#name)));
    let version = description.version.map(|(major, minor, patch)| quote!(.version(#major, #minor, #patch)));
    let text = &description.about;
    let text = (!text.is_empty()).then(|| quote!(.description(#text)));
    let Description { author, license, flags, depends, provides, .. } = description;
    // Cargo compiles a crate anew when one of these changes only if the crate names it.
    let variables: Vec<_> = [author, license].into_iter().filter_map(|said| said.variable).collect();
    let tracked = (!variables.is_empty()).then(|| quote!(#(let _ = ::core::option_env!(#variables);)*));
    let author = Some(&author.text).filter(|text| !text.is_empty()).map(|text| quote!(.author(#text)));
    let license = Some(&license.text).filter(|text| !text.is_empty()).map(|text| quote!(.license(#text)));
    let flags = flags.iter().map(|flag| flags::constant(flag, krate)).reduce(|all, flag| quote!(#all.union(#flag)));
    let flags = flags.map(|flags| quote!(.flags(#flags)));
    let (optional, needed): (Vec<_>, Vec<_>) = depends.iter().partition(|dependency| dependency.optional);
    let needed = strings("dependencies", needed.iter().map(|dependency| &dependency.text));
    let optional = strings("optional_dependencies", optional.iter().map(|dependency| &dependency.text));
    let provides = strings("provides", provides.iter().map(|(capability, _)| capability));
    let mailbox = description.mailbox.map(|(capacity, _)| quote!(.mailbox(#capacity)));
    let overflow = description.overflow.as_ref().map(|(policy, _)| {
        let policy = match policy {
            Overflow::Wait => quote!(Wait),
            Overflow::Reject => quote!(Reject),
            Overflow::DropOldest => quote!(DropOldest),
            Overflow::DropNewest => quote!(DropNewest),
        };
        quote!(.overflow(#krate::Overflow::#policy))
    });
    let timeout = description.timeout.map(|timeout| match timeout {
        Timeout::After(after) => {
            let after = duration::emit(after);
            quote!(.timeout(#after))
        }
        Timeout::Off => quote!(.no_timeout()),
    });
    let restart = description.restart.emit(krate);
    let strategy = description.strategy.map(|strategy| strategy.emit(krate));
    let info = quote! {
        #krate::ModuleInfo::new(#type_name)
            #name #version #text #author #license #flags #needed #optional #provides #mailbox #overflow #timeout #restart #strategy
    };
    if tracked.is_some() { quote!({ #tracked #info }) } else { info }
}

/// `.dependencies(&["store"])`, or nothing.
fn strings<'a>(method: &str, texts: impl Iterator<Item = &'a String>) -> Option<TokenStream> {
    let method = Ident::new(method, Span::call_site());
    let texts: Vec<_> = texts.collect();
    (!texts.is_empty()).then(|| quote!(.#method(&[#(#texts),*])))
}
