//! The hooks of one component, each with its types checked, ready to be instantiated.

use wasmtime::component::InstancePre;
use wasmtime::component::types::ComponentItem;
use wasmtime::format_err;

use crate::contract::{
    CompliancePluginPre, EligibilityPluginPre, Failure, Hook, Quote, RefundPluginPre, Request, StepAnswer,
    StepPluginPre, StepRequest, Verdict,
};
use crate::failure::CallError;
use crate::guest::Guest;
use crate::inspect::Refusal;

/// What can be called of a loaded component.
pub(crate) struct Hooks {
    eligibility: Option<EligibilityPluginPre<Guest>>,
    compliance: Option<CompliancePluginPre<Guest>>,
    refund: Option<RefundPluginPre<Guest>>,
    step: Option<StepPluginPre<Guest>>,
}

impl Hooks {
    /// Checks the exact types of every hook that the component exports.
    pub(crate) fn new(component: &InstancePre<Guest>, exported: &[Hook]) -> Result<Self, Refusal> {
        let mut hooks = Self { eligibility: None, compliance: None, refund: None, step: None };
        for hook in exported {
            hooks
                .add(component, *hook)
                .map_err(|error| Refusal::WrongType { interface: hook.interface(), detail: format!("{error:#}") })?;
        }
        Ok(hooks)
    }

    fn add(&mut self, component: &InstancePre<Guest>, hook: Hook) -> wasmtime::Result<()> {
        check_types(component, hook)?;
        let component = component.clone();
        match hook {
            Hook::Eligibility => self.eligibility = Some(EligibilityPluginPre::new(component)?),
            Hook::Compliance => self.compliance = Some(CompliancePluginPre::new(component)?),
            Hook::Refund => self.refund = Some(RefundPluginPre::new(component)?),
            Hook::Step => self.step = Some(StepPluginPre::new(component)?),
        }
        Ok(())
    }

    pub(crate) fn eligibility(&self) -> Result<&EligibilityPluginPre<Guest>, CallError> {
        self.eligibility.as_ref().ok_or(CallError::HookMissing { hook: Hook::Eligibility })
    }

    pub(crate) fn compliance(&self) -> Result<&CompliancePluginPre<Guest>, CallError> {
        self.compliance.as_ref().ok_or(CallError::HookMissing { hook: Hook::Compliance })
    }

    pub(crate) fn refund(&self) -> Result<&RefundPluginPre<Guest>, CallError> {
        self.refund.as_ref().ok_or(CallError::HookMissing { hook: Hook::Refund })
    }

    pub(crate) fn step(&self) -> Result<&StepPluginPre<Guest>, CallError> {
        self.step.as_ref().ok_or(CallError::HookMissing { hook: Hook::Step })
    }
}

/// Compares a hook's function with the contract. The generated bindings look only for its name before a call and would
/// find a wrong type when a case is already waiting.
fn check_types(linked: &InstancePre<Guest>, hook: Hook) -> wasmtime::Result<()> {
    let component = linked.component();
    let function = component
        .get_export_index(None, hook.interface())
        .and_then(|interface| component.get_export(Some(&interface), hook.function()));
    let Some((ComponentItem::ComponentFunc(function), _)) = function else {
        return Err(format_err!("it has no function `{}`", hook.function()));
    };
    let types = linked.instance_type();
    match hook {
        Hook::Eligibility | Hook::Compliance => function.typecheck::<(&Request,), (Result<Verdict, Failure>,)>(&types),
        Hook::Refund => function.typecheck::<(&Request,), (Result<Quote, Failure>,)>(&types),
        Hook::Step => function.typecheck::<(&StepRequest,), (Result<StepAnswer, Failure>,)>(&types),
    }
}
