//! The constant that describes a module.

use proc_macro2::TokenStream;
use quote::quote;

use super::args::{Overflow, Timeout};
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
    quote!(#krate::ModuleInfo::new(#type_name) #name #version #text #mailbox #overflow #timeout)
}
