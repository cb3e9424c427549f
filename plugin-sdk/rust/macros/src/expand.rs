//! From an implementation of a hook's trait to a component.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use syn::{Ident, ItemImpl, Type};

use crate::arguments::{Arguments, Default, Param, Presence};
use crate::manifest;

/// A hook of the contract: its trait in the SDK, its interface, its function and what that takes and gives.
struct Hook {
    trait_name: &'static str,
    interface: &'static str,
    function: &'static str,
    request: &'static str,
    answer: &'static str,
}

const HOOKS: [Hook; 4] = [
    Hook {
        trait_name: "Eligibility",
        interface: "eligibility",
        function: "evaluate",
        request: "Request",
        answer: "Verdict",
    },
    Hook {
        trait_name: "Compliance",
        interface: "compliance",
        function: "check",
        request: "Request",
        answer: "Verdict",
    },
    Hook { trait_name: "Refund", interface: "refund", function: "quote", request: "Request", answer: "Quote" },
    Hook { trait_name: "Step", interface: "step", function: "run", request: "StepRequest", answer: "StepAnswer" },
];

/// The expansion of `#[plugin(arguments)] item`.
pub(crate) fn plugin(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let item: ItemImpl = syn::parse2(item)?;
    let hook = hook_of(&item)?;
    let policy = policy_of(&item)?;
    let manifest = manifest::json(&arguments, hook.interface).map_err(|why| syn::Error::new(policy.span(), why))?;
    let defaults = arguments.params.iter().filter_map(default_of);
    let component = component(hook, policy, &manifest);
    let [trait_name, interface, function] = [hook.trait_name, hook.interface, hook.function].map(ident);
    Ok(quote! {
        #item

        impl ::redress_plugin::Described for #policy {
            const MANIFEST: &'static str = #manifest;

            fn defaults() -> ::std::vec::Vec<::redress_plugin::types::Attribute> {
                ::std::vec![#(#defaults),*]
            }
        }

        // Without an export the compiler would call the plugin unused.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            let _ = <#policy as ::redress_plugin::#interface::#trait_name>::#function;
        };

        #component
    })
}

fn hook_of(item: &ItemImpl) -> syn::Result<&'static Hook> {
    let named = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    let hook = named.and_then(|segment| HOOKS.iter().find(|hook| segment.ident == hook.trait_name));
    let expected = "expected an implementation of Eligibility, Compliance, Refund or Step";
    hook.ok_or_else(|| syn::Error::new_spanned(&item.self_ty, expected))
}

fn policy_of(item: &ItemImpl) -> syn::Result<&Ident> {
    let ident = if let Type::Path(path) = &*item.self_ty { path.path.get_ident() } else { None };
    ident.ok_or_else(|| syn::Error::new_spanned(&item.self_ty, "expected a plain type of this module"))
}

fn default_of(param: &Param) -> Option<TokenStream> {
    let name = &param.name;
    let Presence::Default(default) = &param.presence else { return None };
    let value = match default {
        Default::Text(text) => quote!(#text),
        Default::Integer(number) => quote!(#number),
        Default::Boolean(truth) => quote!(#truth),
        Default::Money { minor, currency } => quote!(::redress_plugin::types::Money::new(#minor, #currency)),
        Default::Decimal { mantissa, scale, .. } => quote!(::redress_plugin::types::Decimal::new(#mantissa, #scale)),
    };
    Some(quote!(::redress_plugin::types::Attribute::new(#name, #value)))
}

/// What exists only in a component: the export, the manifest's section and the allocator.
fn component(hook: &Hook, policy: &Ident, manifest: &str) -> TokenStream {
    let [trait_name, interface, function] = [hook.trait_name, hook.interface, hook.function].map(ident);
    let [request, answer] = [hook.request, hook.answer].map(ident);
    let export = format_ident!("export_{}", hook.interface);
    let (bytes, length) = (Literal::byte_string(manifest.as_bytes()), manifest.len());
    quote! {
        #[cfg(target_arch = "wasm32")]
        #[global_allocator]
        static REDRESS_ARENA: ::redress_plugin::arena::Arena = ::redress_plugin::arena::Arena::new();

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "an export is a function with a name of its own")]
        const _: () = {
            #[used]
            #[unsafe(link_section = "redress:manifest")]
            static MANIFEST: [u8; #length] = *#bytes;

            impl ::redress_plugin::guest::#interface::exports::redress::plugin::#interface::Guest for #policy {
                fn #function(
                    r: ::redress_plugin::types::#request,
                ) -> ::core::result::Result<::redress_plugin::types::#answer, ::redress_plugin::types::Failure> {
                    ::redress_plugin::guest::answer::<#policy, _>(&r.args, |cx| {
                        <#policy as ::redress_plugin::#interface::#trait_name>::#function(&r, cx)
                    })
                }
            }

            ::redress_plugin::guest::#interface::#export!(
                #policy with_types_in ::redress_plugin::guest::#interface
            );
        };
    }
}

fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(item: TokenStream) -> String {
        plugin(quote!(name = "a", version = "0.1.0"), item).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_an_implementation_of_a_hook_for_a_plain_type_becomes_a_component() {
        let expected = "expected an implementation of Eligibility, Compliance, Refund or Step";
        assert_eq!(refusal(quote!(impl Policy {})), expected);
        assert_eq!(refusal(quote!(impl Clone for Policy {})), expected);
        assert_eq!(refusal(quote!(impl Refund for Policy<u8> {})), "expected a plain type of this module");
        assert_eq!(refusal(quote!(impl sdk::refund::Refund for Policy {})), "");
    }

    #[test]
    fn what_a_component_needs_is_compiled_for_wasm_only() {
        let item = quote!(impl Step for Policy {});
        let text = plugin(quote!(name = "a", version = "0.1.0"), item).unwrap().to_string();
        let (native, component) = text.split_once("# [cfg (target_arch = \"wasm32\")]").unwrap();
        assert!(native.contains("MANIFEST") && !native.contains("unsafe"));
        assert!(component.contains("export_step") && component.contains("redress:manifest"));
    }
}
