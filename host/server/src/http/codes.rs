//! Every code that the API answers with, with its status and title: chosen here and nowhere else. A page of `docs/errors` each.

/// A kind of failure that clients can tell apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable word.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// In a few words, for a person.
    pub title: &'static str,
}

macro_rules! codes {
    ($($constant:ident $name:literal $status:literal $title:literal;)+) => {
        $(
            #[doc = $title]
            pub const $constant: &Code = &Code { name: $name, status: $status, title: $title };
        )+

        /// All of them.
        pub const ALL: &[&Code] = &[$($constant),+];
    };
}

codes! {
    // ── The request itself. ──
    JSON_INVALID "json_invalid" 400 "The body is not JSON";
    PARAMETER_INVALID "parameter_invalid" 400 "A parameter is not as it must be";
    CURSOR_INVALID "cursor_invalid" 400 "The cursor is not one of this list";
    IDEMPOTENCY_KEY_REQUIRED "idempotency_key_required" 400 "An Idempotency-Key is required here";
    IDEMPOTENCY_KEY_INVALID "idempotency_key_invalid" 400 "The Idempotency-Key is not as it must be";
    IF_MATCH_INVALID "if_match_invalid" 400 "The If-Match header is not as it must be";
    TENANT_REQUIRED "tenant_required" 400 "The tenant must be named";
    KEY_REQUIRED "key_required" 401 "A key is required";
    KEY_INVALID "key_invalid" 401 "The key is not valid";
    NOT_ALLOWED "not_allowed" 403 "The key's role does not allow this";
    BACKDATE_NOT_ALLOWED "backdate_not_allowed" 403 "The key may not say when something happened";
    ROUTE_NOT_FOUND "route_not_found" 404 "There is no such address";
    METHOD_NOT_ALLOWED "method_not_allowed" 405 "The address does not take this method";
    REQUEST_TIMEOUT "request_timeout" 408 "The request took too long to arrive";
    BODY_TOO_LARGE "body_too_large" 413 "The body is too large";
    MEDIA_TYPE_UNSUPPORTED "media_type_unsupported" 415 "The body's media type is not taken here";
    BODY_INVALID "body_invalid" 422 "A field is not as it must be";
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" 422 "The Idempotency-Key was used for another request";
    IDEMPOTENCY_IN_FLIGHT "idempotency_in_flight" 409 "The first request of this Idempotency-Key is under way";
    STALE "stale" 412 "It has changed since you read it";
    // ── What was named is not there. ──
    CASE_NOT_FOUND "case_not_found" 404 "The case does not exist";
    ORDER_NOT_FOUND "order_not_found" 404 "The order does not exist";
    TASK_NOT_FOUND "task_not_found" 404 "The task does not exist";
    EFFECT_NOT_FOUND "effect_not_found" 404 "The effect does not exist";
    WORKFLOW_NOT_FOUND "workflow_not_found" 404 "The workflow does not exist";
    REVISION_NOT_FOUND "revision_not_found" 404 "The revision does not exist";
    CANARY_NOT_FOUND "canary_not_found" 404 "The workflow has no canary";
    DRAFT_NOT_FOUND "draft_not_found" 404 "The workflow has no draft";
    HOLD_NOT_FOUND "hold_not_found" 404 "The revision is not on hold";
    PLUGIN_NOT_FOUND "plugin_not_found" 404 "The plugin does not exist";
    PLUGIN_CASE_NOT_FOUND "plugin_case_not_found" 404 "The plugin has no such case";
    STAGE_NOT_FOUND "stage_not_found" 404 "Nothing is staged under the plugin's name";
    TENANT_NOT_FOUND "tenant_not_found" 404 "The tenant does not exist";
    KEY_NOT_FOUND "key_not_found" 404 "The key does not exist";
    // ── The rules refuse it. ──
    EXTERNAL_ID_USED "external_id_used" 409 "The external name was used for another case";
    ORDER_INVALID "order_invalid" 422 "The order is not as it must be";
    ORDER_BELOW_RETURNED "order_below_returned" 409 "The order would fall below what is returned of it";
    EFFECT_UNKNOWN "effect_unknown" 409 "A person must say what became of the effect";
    ORDER_BELOW_REFUNDED "order_below_refunded" 409 "The order would fall below what is refunded of it";
    CASE_CLOSED "case_closed" 409 "The case has ended";
    CASE_PAUSED "case_paused" 409 "The case is paused";
    REVISION_ON_HOLD "revision_on_hold" 409 "The revision is on hold";
    UNKNOWN_EVENT "unknown_event" 422 "The workflow declares no such event";
    WRONG_EVENT "wrong_event" 422 "The event does not carry what its workflow declares";
    TASK_NOT_OPEN "task_not_open" 409 "The task is not open";
    TASK_CLAIMED "task_claimed" 409 "Somebody else has taken the task";
    UNKNOWN_OUTCOME "unknown_outcome" 422 "The task does not offer this choice";
    SECOND_PERSON_NEEDED "second_person_needed" 409 "A second person must answer the task";
    WRONG_FORM "wrong_form" 422 "The form is not as the review asks for it";
    WRONG_VERDICT "wrong_verdict" 422 "The decision does not fit the lines of the case";
    EFFECT_SETTLED "effect_settled" 409 "The effect is settled";
    AMOUNT_INVALID "amount_invalid" 422 "Amounts do not add up";
    CASE_OPEN "case_open" 409 "The case is open already";
    STEP_MISSING "step_missing" 409 "The case's revision does not have the step";
    REFUND_NOT_BOOKABLE "refund_not_bookable" 409 "The ledger does not take the refund any more";
    TOO_MANY_LINES "too_many_lines" 422 "The case has too many lines";
    QUANTITY_ZERO "quantity_zero" 422 "A line asks for no units";
    FIELD_REQUIRED "field_required" 422 "The workflow requires more than was sent";
    WRONG_ATTRIBUTES "wrong_attributes" 422 "The attributes are not those that the workflow declares";
    UNKNOWN_WORKFLOW "unknown_workflow" 422 "There is no such workflow to run";
    NOT_CALLABLE "not_callable" 422 "The workflow does not run as a sub-case";
    NOT_STARTABLE "not_startable" 422 "No case is opened by naming the workflow";
    EVENT_NOT_WANTED "event_not_wanted" 422 "No workflow opens a case for the event";
    EVENT_ID_USED "event_id_used" 409 "Another event was told under this id";
    WRONG_INPUTS "wrong_inputs" 422 "The inputs are not those that the workflow declares";
    // ── Publishing refuses it. ──
    WORKFLOW_INVALID "workflow_invalid" 422 "The workflow has problems";
    MIGRATION_UNFIT "migration_unfit" 422 "The migration does not fit the revisions";
    MIGRATION_REFUSED "migration_refused" 409 "The case cannot go on with the other revision";
    CANARY_UNFIT "canary_unfit" 422 "The revision cannot be a canary of this workflow";
    BUNDLE_UNFIT "bundle_unfit" 422 "A file cannot be part of the bundle";
    DRAFT_UNFIT "draft_unfit" 422 "The text cannot be the draft of this workflow";
    DRAFTS_FULL "drafts_full" 409 "No more drafts are kept";
    TESTS_FAILED "tests_failed" 422 "The workflow's tests do not pass";
    FILE_DIFFERS "file_differs" 409 "The file differs from what is active";
    ROLLBACK_IMPOSSIBLE "rollback_impossible" 409 "There is nothing earlier to go back to";
    PLUGIN_NAME_INVALID "plugin_name_invalid" 422 "The plugin's name or version is not as it must be";
    PLUGIN_BREAKS_WORKFLOW "plugin_breaks_workflow" 409 "An active workflow would not pass with this plugin";
    PLUGIN_CASE_INVALID "plugin_case_invalid" 422 "The case is not as it must be";
    PLUGIN_CASES_FULL "plugin_cases_full" 409 "No more cases are kept";
    PLUGIN_CASE_DIFFERS "plugin_case_differs" 422 "The plugin does not answer your own cases as they say";
    PLUGIN_IN_USE "plugin_in_use" 409 "Workflows call the plugin";
    PLUGIN_NOT_GRANTED "plugin_not_granted" 409 "The plugin asks for facts that it is not granted";
    SIGNATURE_MISSING "signature_missing" 422 "The plugin is not signed";
    SIGNATURE_INVALID "signature_invalid" 422 "The signature does not count";
    SIGNER_UNFIT "signer_unfit" 422 "The signers cannot be these";
    FACT_UNKNOWN "fact_unknown" 422 "There is no such fact";
    STAGE_UNFIT "stage_unfit" 422 "The component cannot be staged so";
    UPLOAD_EMPTY "upload_empty" 422 "The plugin is empty";
    UPLOAD_TOO_LARGE "upload_too_large" 422 "The plugin is too large";
    UPLOAD_PRECOMPILED "upload_precompiled" 422 "The plugin is machine code";
    UPLOAD_PACKED "upload_packed" 422 "The plugin is packed";
    UPLOAD_CORE_MODULE "upload_core_module" 422 "The plugin is a core module of which no component can be made";
    UPLOAD_NOT_WASM "upload_not_wasm" 422 "The plugin is not WebAssembly";
    UPLOAD_TOO_MANY "upload_too_many" 422 "The plugin has more of something than is taken";
    UPLOAD_MALFORMED "upload_malformed" 422 "The plugin is not a valid component";
    UPLOAD_FORBIDDEN_IMPORT "upload_forbidden_import" 422 "The plugin wants what no plugin gets";
    UPLOAD_OTHER_VERSION "upload_other_version" 422 "The plugin speaks another version of the contract";
    UPLOAD_NO_HOOK "upload_no_hook" 422 "The plugin answers no question";
    UPLOAD_WRONG_TYPE "upload_wrong_type" 422 "The plugin does not have the contract's types";
    UPLOAD_NO_MANIFEST "upload_no_manifest" 422 "The plugin has no manifest";
    UPLOAD_MANIFEST_TWICE "upload_manifest_twice" 422 "The plugin has more than one manifest";
    UPLOAD_MANIFEST "upload_manifest" 422 "The plugin's manifest is not as it must be";
    UPLOAD_HOOKS_DISAGREE "upload_hooks_disagree" 422 "The plugin's manifest names other hooks than it has";
    UPLOAD_COMPILE "upload_compile" 422 "The plugin cannot be compiled";
    UPLOAD_DRY_RUN "upload_dry_run" 422 "The plugin broke a rule when it was tried";
    UPLOAD_COMPILE_TIMEOUT "upload_compile_timeout" 422 "The plugin takes too long to compile";
    UPLOAD_COMPILE_MEMORY "upload_compile_memory" 422 "The plugin takes too much memory to compile";
    UPLOAD_COMPILER_PANIC "upload_compiler_panic" 422 "The plugin cannot be compiled on this host";
    // ── Tenants, keys, connectors. ──
    CONNECTOR_NOT_FOUND "connector_not_found" 404 "The connector does not exist";
    CONNECTORS_FULL "connectors_full" 409 "No more connectors are kept";
    CONNECTOR_UNFIT "connector_unfit" 422 "The connector cannot carry this";
    CONNECTOR_NOT_ALLOWED "connector_not_allowed" 422 "The host does not allow this connector";
    CONNECTOR_INVALID "connector_invalid" 422 "The connector is not as it must be";
    CONNECTOR_ADDRESS_REFUSED "connector_address_refused" 422 "The host does not send to this address";
    CONNECTOR_SECRET_UNREADABLE "connector_secret_unreadable" 500 "The connector's secret cannot be opened";
    TENANT_EXISTS "tenant_exists" 409 "A tenant has this name already";
    KEYS_FULL "keys_full" 409 "No more keys are kept";
    // ── The host. ──
    OVERLOADED "overloaded" 503 "Too much is waiting";
    COMPILER_FAILED "compiler_failed" 503 "Plugins cannot be compiled now";
    PLUGIN_CASES_NOT_ASKED "plugin_cases_not_asked" 503 "The plugin was not asked all of your own cases";
    PLUGIN_PROCESS_FAILED "plugin_process_failed" 503 "Plugins cannot be loaded now";
    TENANT_NOT_OPENED "tenant_not_opened" 503 "The merchant's file cannot be opened";
    STOPPING "stopped" 503 "The host is stopping";
    CONFLICT "conflict" 409 "It was changed by others again and again";
    ANSWER_TIMEOUT "answer_timeout" 504 "The answer took too long";
    RECORD_DAMAGED "record_damaged" 500 "What was kept cannot be read back";
    REVISION_NOT_LOADED "revision_not_loaded" 500 "A revision cannot be loaded";
    INTERNAL "internal" 500 "Something failed inside";
    STORE_FAILED "store_failed" 503 "The store could not be read or written";
}

/// The code of a name.
pub fn named(name: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.name == name)
}
