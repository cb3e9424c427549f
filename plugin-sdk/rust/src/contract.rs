//! The bindings generated from `plugin-sdk/wit`, one module per world. Authors see them only through [`crate::types`].
#![expect(missing_docs, unreachable_pub, reason = "generated from the contract")]

/// The records of the contract, generated once for all hooks, and the log.
pub mod shared {
    wit_bindgen::generate!({
        path: "../wit/redress-plugin-0",
        inline: "
            package redress:plugin-sdk;
            world shared { import redress:plugin/types@0.1.0; import redress:plugin/log@0.1.0; }
        ",
        world: "redress:plugin-sdk/shared",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq],
        additional_type_attributes: {
            "redress:plugin/types@0.1.0/verdict": [#[derive(Default)]],
            "redress:plugin/types@0.1.0/quote": [#[derive(Default)]],
            "redress:plugin/types@0.1.0/step-answer": [#[derive(Default)]],
        },
    });
}

macro_rules! world {
    ($module:ident, $world:literal, $export:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../wit/redress-plugin-0",
                world: $world,
                with: {
                    "redress:plugin/types@0.1.0": crate::contract::shared::redress::plugin::types,
                    "redress:plugin/log@0.1.0": crate::contract::shared::redress::plugin::log,
                },
                pub_export_macro: true,
                export_macro_name: $export,
            });
        }
    };
}

world!(eligibility, "eligibility-plugin", "export_eligibility");
world!(compliance, "compliance-plugin", "export_compliance");
world!(refund, "refund-plugin", "export_refund");
world!(step, "step-plugin", "export_step");
